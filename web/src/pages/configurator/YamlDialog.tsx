import { Button, FileButton, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { readYaml, writeYaml } from "../../api/documents";
import { PageLoader } from "../../parts/PageLoader";
import { Problem } from "../../parts/Problem";
import { useConfiguration } from "./context";

/** The document as text: to read, to change, to take away and to bring. */
export function YamlDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      size="xl"
      title={
        <Text fw={650} size="lg">
          {t("configurator.yaml.title")}
        </Text>
      }
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Editor onClose={onClose} />
    </Modal>
  );
}

function Editor({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { synthesis, document, edit } = useConfiguration();
  const [typed, setTyped] = useState<string | null>(null);
  const written = useQuery({
    queryKey: ["drafts", synthesis.id, "yaml", document],
    queryFn: () => writeYaml(synthesis.id, document),
    gcTime: 0,
  });
  const apply = useMutation({
    mutationFn: (text: string) => readYaml(synthesis.id, text),
    onSuccess: (made) => {
      edit(() => made);
      notifications.show({ message: t("configurator.yaml.applied"), color: "green" });
      onClose();
    },
  });
  if (written.isError && typed === null)
    return <Problem error={written.error} onRetry={() => void written.refetch()} />;
  if (written.isPending) return <PageLoader />;
  const text = typed ?? written.data ?? "";
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("configurator.yaml.about")}
      </Text>
      {apply.isError && <Problem error={apply.error} />}
      <Textarea
        aria-label={t("configurator.yaml.text")}
        value={text}
        onChange={(event) => setTyped(event.currentTarget.value)}
        rows={22}
        spellCheck={false}
        styles={{
          input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 13, lineHeight: 1.5 },
        }}
      />
      <Group justify="space-between">
        <Group gap="xs">
          <FileButton
            accept=".yaml,.yml,text/yaml"
            onChange={(file) => {
              if (file) void file.text().then(setTyped);
            }}
          >
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconUpload size={16} />}>
                {t("configurator.yaml.import")}
              </Button>
            )}
          </FileButton>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} />}
            onClick={() => download(`${synthesis.name}.yaml`, text)}
          >
            {t("configurator.yaml.export")}
          </Button>
        </Group>
        <Button
          disabled={typed === null || typed === written.data}
          loading={apply.isPending}
          onClick={() => apply.mutate(text)}
        >
          {t("configurator.yaml.apply")}
        </Button>
      </Group>
    </Stack>
  );
}

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
