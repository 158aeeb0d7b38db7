import { Anchor, Button, Group, Modal, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useSources } from "../../api/sources";
import { useCreateSynthesis } from "../../api/syntheses";
import { Problem } from "../../parts/Problem";
import { UploadForm } from "../sources/upload/UploadForm";
import { SourceSelect } from "./SourceSelect";

/** Where a synthesis begins: a source, chosen or uploaded here, and a name; the configurator follows. */
export function CreateDialog({ sourceId, onClose }: { sourceId: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const sources = useSources();
  const [chosen, setChosen] = useState(sourceId);
  const [wantsUpload, setWantsUpload] = useState(false);
  const [isAtWork, setAtWork] = useState(false);
  const hasNone = sources.isSuccess && sources.items.length === 0;
  const isUploading = wantsUpload || hasNone;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t("syntheses.made.title")}</b>}
      closeOnClickOutside={!isUploading}
      closeOnEscape={!isAtWork}
      withCloseButton={!isAtWork}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {sources.isError && <Problem error={sources.error} onRetry={() => void sources.refetch()} />}
      {sources.isPending && <Skeleton h={200} />}
      {sources.isSuccess && isUploading && (
        <Stack>
          {hasNone && <Text c="dimmed">{t("syntheses.made.noSources")}</Text>}
          {!hasNone && !isAtWork && (
            <Anchor
              component="button"
              type="button"
              size="sm"
              ta="left"
              onClick={() => setWantsUpload(false)}
            >
              {t("syntheses.made.chooseInstead")}
            </Anchor>
          )}
          <UploadForm
            onAtWork={setAtWork}
            onLeave={onClose}
            onDone={(version) => {
              setChosen(version.source_id);
              setWantsUpload(false);
              setAtWork(false);
            }}
          />
        </Stack>
      )}
      {sources.isSuccess && !isUploading && (
        <Chosen
          key={chosen}
          sources={sources.items}
          chosen={chosen}
          onChoose={setChosen}
          onUpload={() => setWantsUpload(true)}
          onClose={onClose}
        />
      )}
    </Modal>
  );
}

function Chosen({
  sources,
  chosen,
  onChoose,
  onUpload,
  onClose,
}: {
  sources: ReturnType<typeof useSources>["items"];
  chosen: string | null;
  onChoose: (sourceId: string | null) => void;
  onUpload: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const create = useCreateSynthesis();
  const [name, setName] = useState("");
  const source = sources.find((one) => one.id === chosen);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!source) return;
    create.mutate(
      { source_id: source.id, name: name.trim() || source.name },
      { onSuccess: (made) => navigate(`/syntheses/${made.id}/configure`) },
    );
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        {create.isError && <Problem error={create.error} />}
        <SourceSelect sources={sources} value={source?.id ?? null} onChange={onChoose} />
        <Anchor component="button" type="button" size="sm" ta="left" onClick={onUpload}>
          {t("syntheses.made.upload")}
        </Anchor>
        <TextInput
          label={t("syntheses.made.name")}
          description={t("syntheses.made.nameHelp")}
          placeholder={source?.name}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {create.isPending && (
          <Text size="sm" c="dimmed" role="status">
            {t("syntheses.made.detecting")}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" disabled={!source} loading={create.isPending}>
            {t("syntheses.made.submit")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
