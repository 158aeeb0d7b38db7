import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

/** A text of machines, whole, with a button that copies it. */
export function Copyable({ label, text }: { label: string; text: string }) {
  const { t } = useTranslation();
  return (
    <Group gap="xs" wrap="nowrap" role="group" aria-label={label}>
      <Code block flex={1} miw={0} style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {text}
      </Code>
      <CopyButton value={text} timeout={2000}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t("common.copied") : t("common.copy")}>
            <ActionIcon
              variant="light"
              size="lg"
              color={copied ? "teal" : undefined}
              onClick={copy}
              aria-label={`${copied ? t("common.copied") : t("common.copy")}: ${label}`}
            >
              {copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
