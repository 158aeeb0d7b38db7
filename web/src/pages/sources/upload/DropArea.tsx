import "@mantine/dropzone/styles.css";
import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconCloudUpload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

const FOLDER: object = { webkitdirectory: "" }; // known to browsers, not to the types

/** Where files and folders are dropped, or chosen. */
export function DropArea({ isSmall, onFiles }: { isSmall: boolean; onFiles: (files: File[]) => void }) {
  const { t } = useTranslation();
  const choices = (
    <Group gap="xs" justify="center">
      <FileButton multiple onChange={onFiles} inputProps={{ "aria-label": t("sources.drop.files") }}>
        {(props) => (
          <Button {...props} size={isSmall ? "xs" : "sm"} variant={isSmall ? "default" : "filled"}>
            {t("sources.drop.files")}
          </Button>
        )}
      </FileButton>
      <FileButton
        multiple
        onChange={onFiles}
        inputProps={{ ...FOLDER, "aria-label": t("sources.drop.folder") }}
      >
        {(props) => (
          <Button {...props} size={isSmall ? "xs" : "sm"} variant="default">
            {t("sources.drop.folder")}
          </Button>
        )}
      </FileButton>
    </Group>
  );
  return (
    <Dropzone
      onDrop={onFiles}
      activateOnClick={false}
      activateOnKeyboard={false}
      enablePointerEvents
      p={isSmall ? "sm" : "xl"}
    >
      {isSmall ? (
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {t("sources.drop.title")}
          </Text>
          {choices}
        </Group>
      ) : (
        <Stack align="center" gap="sm" py="md">
          <IconCloudUpload size={52} stroke={1.3} color="var(--mantine-primary-color-filled)" aria-hidden />
          <Text fw={600} size="lg" ta="center">
            {t("sources.drop.title")}
          </Text>
          <Text c="dimmed" size="sm" ta="center" maw={420}>
            {t("sources.drop.text")}
          </Text>
          {choices}
        </Stack>
      )}
    </Dropzone>
  );
}
