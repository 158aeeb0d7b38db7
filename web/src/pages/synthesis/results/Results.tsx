import { Alert, Button, Card, Group, Skeleton, Stack, Tabs, Text, Title } from "@mantine/core";
import { IconCertificate, IconChartBar, IconTable, IconTimeline } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import {
  certificateOf,
  type Execution,
  type ExecutionDetail,
  evaluationOf,
  scoresFrom,
  useExecution,
} from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { PageLoader } from "../../../parts/PageLoader";
import { Problem } from "../../../parts/Problem";
import { StatusBadge } from "../../../parts/StatusBadge";
import { Failure } from "../Failure";
import { usePlace } from "../place";
import { CertificateTab } from "./CertificateTab";
import { DataTab } from "./DataTab";
import { ScoreTiles } from "./ScoreTiles";

const ComparisonTab = lazy(() => import("./ComparisonTab"));
const TABS = ["data", "charts", "certificate"] as const;

/** What an execution made; while it goes on, or where it failed, what there is to know and to do. */
export function Results({
  synthesis,
  execution,
  executions,
}: {
  synthesis: Synthesis;
  execution: Execution;
  executions: Execution[];
}) {
  if (execution.status !== "succeeded") return <Unfinished synthesis={synthesis} execution={execution} />;
  return <Finished execution={execution} scoredId={scoresFrom(execution, executions)} />;
}

function Unfinished({ synthesis, execution }: { synthesis: Synthesis; execution: Execution }) {
  const { t } = useTranslation();
  const place = usePlace();
  return (
    <Card padding="xl">
      <Stack align="flex-start">
        <Group gap="sm">
          <Title order={2} size="h3">
            {t(`synthesis.unfinished.${execution.status === "succeeded" ? "queued" : execution.status}`)}
          </Title>
          <StatusBadge status={execution.status} />
        </Group>
        <Text c="dimmed">{t("synthesis.unfinished.about")}</Text>
        {execution.error && (
          <Failure
            error={execution.error}
            synthesisId={synthesis.id}
            isPaused={execution.status === "paused"}
          />
        )}
        <Button leftSection={<IconTimeline size={16} />} onClick={() => place.go({ timeline: execution.id })}>
          {t("synthesis.timeline.open")}
        </Button>
      </Stack>
    </Card>
  );
}

function Finished({ execution, scoredId }: { execution: Execution; scoredId: string | null }) {
  const detail = useExecution(execution.id);
  const evaluation = useQuery(evaluationOf(scoredId));
  const certificate = useQuery(certificateOf(execution.id));
  const failed = [detail, evaluation, certificate].find((one) => one.isError);
  if (failed) return <Problem error={failed.error} onRetry={() => void failed.refetch()} />;
  if (!detail.data || certificate.isPending || (scoredId !== null && evaluation.isPending))
    return <Skeletons />;
  return (
    <Stack gap="lg">
      <ScoreTiles
        evaluation={evaluation.data ?? null}
        certificate={certificate.data ?? null}
        rows={execution.rows}
        isBorrowed={scoredId !== null && scoredId !== execution.id}
      />
      <Looks
        execution={detail.data}
        evaluation={evaluation.data ?? null}
        certificate={certificate.data ?? null}
      />
    </Stack>
  );
}

function Looks({
  execution,
  evaluation,
  certificate,
}: {
  execution: ExecutionDetail;
  evaluation: Parameters<typeof DataTab>[0]["evaluation"];
  certificate: Parameters<typeof DataTab>[0]["certificate"] | null;
}) {
  const { t } = useTranslation();
  const place = usePlace();
  const tab = TABS.find((one) => one === place.tab) ?? "data";
  if (!certificate)
    return (
      <Alert color="gray" title={t("synthesis.results.gone")}>
        {t("synthesis.results.goneAbout")}
      </Alert>
    );
  return (
    <Tabs value={tab} onChange={(value) => place.go({ tab: value })} keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="data" leftSection={<IconTable size={16} />}>
          {t("synthesis.tabs.data")}
        </Tabs.Tab>
        <Tabs.Tab value="charts" leftSection={<IconChartBar size={16} />} disabled={!evaluation}>
          {t("synthesis.tabs.charts")}
        </Tabs.Tab>
        <Tabs.Tab value="certificate" leftSection={<IconCertificate size={16} />}>
          {t("synthesis.tabs.certificate")}
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="data">
        <DataTab execution={execution} evaluation={evaluation} certificate={certificate} />
      </Tabs.Panel>
      <Tabs.Panel value="charts">
        {evaluation && (
          <Suspense fallback={<PageLoader />}>
            <ComparisonTab evaluation={evaluation} />
          </Suspense>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="certificate">
        <CertificateTab certificate={certificate} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Skeletons() {
  return (
    <Stack gap="lg">
      <Group grow>
        {["privacy", "accuracy", "certificate", "size"].map((one) => (
          <Skeleton key={one} h={150} radius="lg" />
        ))}
      </Group>
      <Skeleton h={520} radius="lg" />
    </Stack>
  );
}
