import { Alert, Button, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client";

/** An error in words: what happened, what to do, and the code for who asks for help. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const words = useProblemWords(error);
  const findings = error instanceof ApiError ? error.problem.findings.slice(0, 20) : [];
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={words.message} role="alert">
      {words.remedy && <Text size="sm">{words.remedy}</Text>}
      {findings.length > 0 && (
        <List size="sm" mt="xs">
          {findings.map((one) => (
            <List.Item key={`${one.where}${one.code}${one.message}`}>
              {one.where && <b>{one.where}: </b>}
              {one.message}
            </List.Item>
          ))}
        </List>
      )}
      <Group mt="xs" gap="sm">
        {onRetry && (
          <Button size="xs" variant="light" color="red" onClick={onRetry}>
            {t("common.retry")}
          </Button>
        )}
        {words.code && (
          <Text size="xs" c="dimmed" ff="monospace">
            {words.code}
          </Text>
        )}
      </Group>
    </Alert>
  );
}

/** An error's words: the server's own where it said any, ours where it was not reached. */
export function useProblemWords(error: unknown): { message: string; remedy: string; code: string } {
  const { t } = useTranslation();
  if (error instanceof ApiError && error.code === "web.unreachable")
    return { message: t("error.unreachable"), remedy: t("error.unreachableRemedy"), code: "" };
  if (error instanceof ApiError)
    return { message: error.problem.message, remedy: error.problem.remedy, code: error.code };
  return { message: t("error.unexpected"), remedy: t("error.unexpectedRemedy"), code: "" };
}
