import { Button, FileInput, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconFileCode } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useSources } from "../../api/sources";
import { useImportSynthesis } from "../../api/syntheses";
import { Problem } from "../../parts/Problem";
import { SourceSelect } from "./SourceSelect";

/** Makes a synthesis of a document in YAML and a source. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const sources = useSources();
  const load = useImportSynthesis();
  const [file, setFile] = useState<File | null>(null);
  const [sourceId, setSourceId] = useState<string | null>(null);
  const [name, setName] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!file || !sourceId) return;
    load.mutate(
      { source_id: sourceId, text: await file.text(), name: name.trim() },
      { onSuccess: (made) => navigate(`/syntheses/${made.id}/configure`) },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t("syntheses.import.title")}</b>}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm" c="dimmed">
            {t("syntheses.import.about")}
          </Text>
          {sources.isError && <Problem error={sources.error} onRetry={() => void sources.refetch()} />}
          {load.isError && <Problem error={load.error} />}
          <FileInput
            label={t("syntheses.import.file")}
            placeholder={t("syntheses.import.filePlaceholder")}
            accept=".yaml,.yml,application/yaml"
            leftSection={<IconFileCode size={18} aria-hidden />}
            required
            clearable
            clearButtonProps={{ "aria-label": t("common.delete") }}
            value={file}
            onChange={setFile}
          />
          <SourceSelect sources={sources.items} value={sourceId} onChange={setSourceId} />
          <TextInput
            label={t("syntheses.import.name")}
            description={t("syntheses.import.nameHelp")}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={load.isPending} disabled={!file || !sourceId}>
              {t("syntheses.import.submit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
