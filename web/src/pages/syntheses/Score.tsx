import { Group, RingProgress, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { COLORS, judge } from "../../parts/verdict";
import { useFormat } from "../../words/format";

/** A score from 0 to 10 in a row: a number with a ring. */
export function Score({ value }: { value: number | null | undefined }) {
  const { number } = useFormat();
  if (value == null) return <Text c="dimmed">–</Text>;
  return (
    <Group gap={8} wrap="nowrap">
      <Ring value={value} size={26} />
      <Text size="sm" fw={600}>
        {number(value, 1)}
      </Text>
    </Group>
  );
}

/** A score in words, for a panel. */
export function ScoreTile({ label, value }: { label: string; value: number | null }) {
  const { t } = useTranslation();
  const { number } = useFormat();
  return (
    <Group gap="sm" wrap="nowrap">
      <Ring value={value ?? 0} size={52} />
      <Stack gap={0}>
        <Text size="sm" c="dimmed">
          {label}
        </Text>
        {value === null ? (
          <Text size="sm">{t("syntheses.panel.noScore")}</Text>
        ) : (
          <Text fw={700} size="xl" lh={1.2}>
            {number(value, 1)}{" "}
            <Text span size="sm" c="dimmed" fw={400}>
              {t("syntheses.panel.of")}
            </Text>
          </Text>
        )}
      </Stack>
    </Group>
  );
}

function Ring({ value, size }: { value: number; size: number }) {
  return (
    <RingProgress
      size={size}
      thickness={size / 8}
      roundCaps
      sections={[{ value: value * 10, color: COLORS[judge(value)] }]}
      aria-hidden
    />
  );
}
