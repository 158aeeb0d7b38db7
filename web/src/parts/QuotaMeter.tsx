import { Group, Progress, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Quota } from "../api/account";
import { useFormat } from "../words/format";

/** How much of a quota is used, held and left, and when it is renewed. */
export function QuotaMeter({ quota }: { quota: Quota }) {
  const { t } = useTranslation();
  const format = useFormat();
  const say = (value: number) => format.resource(quota.resource, value);
  const share = (value: number) => (quota.limit ? Math.min(100, (100 * value) / quota.limit) : 0);
  const isLow = quota.limit !== null && (quota.left ?? 0) <= quota.limit / 10;
  return (
    <Stack gap="xs">
      <Group justify="space-between" align="baseline">
        <Text fz={28} fw={650} lh={1.2}>
          {quota.left === null ? t("settings.quota.unlimited") : say(quota.left)}
        </Text>
        {quota.left !== null && <Text c={isLow ? "red" : "dimmed"}>{t("settings.quota.left")}</Text>}
      </Group>
      {quota.limit !== null && (
        <Progress.Root size="lg">
          <Progress.Section
            value={share(quota.used)}
            color={isLow ? "red" : undefined}
            aria-label={t("settings.quota.used", { used: say(quota.used), limit: say(quota.limit) })}
          />
          <Progress.Section
            value={share(quota.reserved)}
            color="gray"
            aria-label={t("settings.quota.reserved", { reserved: say(quota.reserved) })}
          />
        </Progress.Root>
      )}
      <Group justify="space-between" gap={4}>
        <Text size="sm">
          {quota.limit === null
            ? t("settings.quota.usedFreely", { used: say(quota.used) })
            : t("settings.quota.used", { used: say(quota.used), limit: say(quota.limit) })}
        </Text>
        <Text size="sm" c="dimmed">
          {t("settings.quota.renewed", {
            when: format.date(quota.renewed_at),
            period: t(`settings.quota.periods.${quota.period}`),
          })}
        </Text>
      </Group>
      {quota.reserved > 0 && (
        <Text size="sm" c="dimmed">
          {t("settings.quota.reserved", { reserved: say(quota.reserved) })}
        </Text>
      )}
    </Stack>
  );
}
