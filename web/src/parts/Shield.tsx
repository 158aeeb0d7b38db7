import { Group, Text, Tooltip } from "@mantine/core";
import { IconShieldCheckFilled, IconShieldX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

export type ShieldState = "protected" | "excluded";

/** A sensitive column: green where new values take its place, gray where it takes no part. */
export function Shield({
  state,
  size = 18,
  withWords = false,
}: {
  state: ShieldState;
  size?: number;
  withWords?: boolean;
}) {
  const { t } = useTranslation();
  const words = t(`parts.shield.${state}`);
  const Icon = state === "protected" ? IconShieldCheckFilled : IconShieldX;
  const color = state === "protected" ? "var(--mantine-color-green-7)" : "var(--mantine-color-gray-6)";
  const label = withWords ? { "aria-hidden": true } : { role: "img", "aria-label": words };
  return (
    <Tooltip label={`${words}. ${t(`parts.shield.${state}Help`)}`}>
      <Group gap={6} wrap="nowrap" component="span" display="inline-flex">
        <Icon size={size} color={color} style={{ flex: "none" }} {...label} />
        {withWords && (
          <Text size="sm" component="span">
            {words}
          </Text>
        )}
      </Group>
    </Tooltip>
  );
}
