import { Alert, Button, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlayerPause } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError, type Schemas } from "../../api/client";
import { Problem } from "../../parts/Problem";

export type Remedy = "configure" | "quota" | "sources" | "retry";
type Trouble = Pick<Schemas["ErrorView"], "code" | "message" | "remedy" | "findings">;

const CONFIGURE =
  /^(settings|data|treatment|rules|keys?|primary_keys|foreign_keys|unique_keys|checks|constraints|roots|synthesis|table|column|generation|complexity|certificate|engine)\.|^execution\.(configuration|too_little_data)$|^evaluation\./;

/** What helps against an error, by its code. */
export function remedyOf(code: string): Remedy {
  if (code.startsWith("quota.")) return "quota";
  if (code.startsWith("source.")) return "sources";
  if (CONFIGURE.test(code)) return "configure";
  return "retry";
}

/** Why an execution stopped, what to do, and buttons that do it. */
export function Failure({
  error,
  synthesisId,
  isPaused = false,
  children,
}: {
  error: Trouble;
  synthesisId: string;
  isPaused?: boolean;
  children?: ReactNode;
}) {
  const color = isPaused ? "orange" : "red";
  return (
    <Alert
      color={color}
      icon={isPaused ? <IconPlayerPause /> : <IconAlertTriangle />}
      title={error.message}
      role="alert"
    >
      {error.remedy && <Text size="sm">{error.remedy}</Text>}
      {error.findings.length > 0 && (
        <List size="sm" mt="xs">
          {error.findings.slice(0, 20).map((one) => (
            <List.Item key={`${one.where}${one.code}${one.message}`}>
              {one.where && <b>{one.where}: </b>}
              {one.message} {one.remedy}
            </List.Item>
          ))}
        </List>
      )}
      <Group mt="sm" gap="sm">
        {children}
        <RemedyLink remedy={remedyOf(error.code)} synthesisId={synthesisId} />
        <Text size="xs" c="dimmed" ff="monospace">
          {error.code}
        </Text>
      </Group>
    </Alert>
  );
}

/** What the server refused, with a way to where it can be repaired. */
export function Refusal({ error, synthesisId }: { error: unknown; synthesisId: string }) {
  if (!(error instanceof ApiError) || remedyOf(error.code) === "retry") return <Problem error={error} />;
  return <Failure error={error.problem} synthesisId={synthesisId} />;
}

function RemedyLink({ remedy, synthesisId }: { remedy: Remedy; synthesisId: string }) {
  const { t } = useTranslation();
  if (remedy === "retry") return null;
  const places = {
    configure: `/syntheses/${synthesisId}/configure`,
    quota: "/settings/quota",
    sources: "/sources",
  };
  return (
    <Button component={Link} to={places[remedy]} size="xs" variant="default">
      {t(`synthesis.remedy.${remedy}`)}
    </Button>
  );
}
