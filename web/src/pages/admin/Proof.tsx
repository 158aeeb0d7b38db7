import { Alert, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useVerifyAudit } from "../../api/audit";
import { Copyable } from "../../parts/Copyable";
import { Problem } from "../../parts/Problem";

/** The proof that the log is what was written. */
export function Proof() {
  const { t } = useTranslation();
  const verify = useVerifyAudit();
  return (
    <Card component="section" aria-labelledby="proof">
      <Stack>
        <Group justify="space-between">
          <Stack gap={2} flex="1 1 300px">
            <Title order={2} size="h4" id="proof">
              {t("admin.audit.proofTitle")}
            </Title>
            <Text c="dimmed" size="sm" maw={760}>
              {t("admin.audit.proof")}
            </Text>
          </Stack>
          <Button
            variant="light"
            leftSection={<IconShieldCheck size={18} />}
            onClick={() => verify.mutate()}
            loading={verify.isPending}
          >
            {t("admin.audit.verify")}
          </Button>
        </Group>
        {verify.isError && <Problem error={verify.error} />}
        {verify.data && (
          <Alert
            color="teal"
            role="status"
            icon={<IconShieldCheck />}
            title={t("admin.audit.whole", { count: verify.data.entries })}
          >
            <Stack gap="xs">
              <Text size="sm">{t("admin.audit.headHelp")}</Text>
              <Copyable label={t("admin.audit.head")} text={verify.data.head} />
            </Stack>
          </Alert>
        )}
      </Stack>
    </Card>
  );
}
