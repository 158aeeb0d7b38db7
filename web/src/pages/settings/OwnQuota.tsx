import { Card, SimpleGrid, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useOwnQuotas } from "../../api/account";
import { useUser } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { QuotaMeter } from "../../parts/QuotaMeter";

/** What one's executions may use, have used and have left. */
export function OwnQuota() {
  const { t } = useTranslation();
  const user = useUser();
  const quotas = useOwnQuotas();
  return (
    <Stack>
      <Text c="dimmed">{t("settings.quota.about")}</Text>
      {quotas.isError && <Problem error={quotas.error} onRetry={() => quotas.refetch()} />}
      {quotas.isPending && <Skeleton h={160} radius="lg" />}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg" maw={1120}>
        {quotas.data?.map((quota) => (
          <Card component="section" key={quota.resource} aria-label={t(`settings.quota.${quota.resource}`)}>
            <Title order={2} size="h4" mb="sm">
              {t(`settings.quota.${quota.resource}`)}
            </Title>
            <QuotaMeter quota={quota} />
          </Card>
        ))}
      </SimpleGrid>
      {user.role === "user" && (
        <Text size="sm" c="dimmed">
          {t("settings.quota.more")}
        </Text>
      )}
    </Stack>
  );
}
