import { Alert, Badge, Group, Modal, Progress, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useInterval, useMediaQuery } from "@mantine/hooks";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type ExecutionDetail, isFinal, useExecution } from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { PageLoader } from "../../../parts/PageLoader";
import { Problem } from "../../../parts/Problem";
import { StatusBadge } from "../../../parts/StatusBadge";
import { useFormat } from "../../../words/format";
import { Failure } from "../Failure";
import { AskedLine } from "./AskedLine";
import { Remarks } from "./Remarks";
import { StepList } from "./StepList";
import { firstUndone, shareDone } from "./story";
import classes from "./Timeline.module.css";
import { TimelineActions } from "./TimelineActions";
import { type Following, useStory } from "./useStory";

const LossChart = lazy(() => import("./LossChart"));

/** An execution step by step, as it goes on; what happens does not depend on anybody looking. */
export function TimelineDialog({
  synthesis,
  executionId,
  onClose,
}: {
  synthesis: Synthesis;
  executionId: string;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const isSmall = useMediaQuery("(max-width: 48em)");
  const execution = useExecution(executionId);
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1080px, 96vw)"
      fullScreen={isSmall}
      title={
        <Title order={2} size="h3">
          {t("synthesis.timeline.title")}
        </Title>
      }
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {execution.isError && !execution.data && (
        <Problem error={execution.error} onRetry={() => void execution.refetch()} />
      )}
      {execution.isPending && <PageLoader />}
      {execution.data && (
        <Timeline key={executionId} synthesis={synthesis} execution={execution.data} onClose={onClose} />
      )}
    </Modal>
  );
}

function Timeline({
  synthesis,
  execution,
  onClose,
}: {
  synthesis: Synthesis;
  execution: ExecutionDetail;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const following = useStory(execution);
  const { story } = following;
  const now = useNow(!isFinal(execution.status));
  const isDrawing = execution.kind === "generate";
  return (
    <Stack gap="lg">
      <Head execution={execution} share={shareDone(story)} expected={story.expectedSeconds} now={now} />
      <Connection following={following} />
      {execution.error && (
        <Failure
          error={execution.error}
          synthesisId={synthesis.id}
          isPaused={execution.status === "paused"}
        />
      )}
      <Remarks remarks={story.remarks} />
      <div className={isDrawing ? undefined : classes.halves}>
        <StepList steps={story.steps} now={now} />
        {!isDrawing && (
          <div className={classes.curve}>
            {story.losses.size > 0 ? (
              <Suspense fallback={<Skeleton h={320} />}>
                <LossChart story={story} />
              </Suspense>
            ) : (
              <NoCurve />
            )}
          </div>
        )}
      </div>
      <Announcer following={following} status={execution.status} />
      <TimelineActions
        synthesis={synthesis}
        execution={execution}
        stoppedAt={firstUndone(story)}
        onClose={onClose}
      />
      <Text size="sm" c="dimmed">
        {isFinal(execution.status) ? null : t("synthesis.timeline.leave")}
      </Text>
    </Stack>
  );
}

function Head({
  execution,
  share,
  expected,
  now,
}: {
  execution: ExecutionDetail;
  share: number;
  expected: number | null;
  now: number;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const isOver = isFinal(execution.status);
  const began = execution.started_at ?? execution.created_at;
  const taken = (execution.finished_at ?? now) - began;
  const color =
    { succeeded: "teal", failed: "red", paused: "orange", cancelled: "gray" }[execution.status as string] ??
    "kin";
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <Text fw={600} size="lg">
            {execution.name}
          </Text>
          <StatusBadge status={execution.status} />
          {execution.attempt > 1 && (
            <Badge variant="outline" color="gray" tt="none">
              {t("synthesis.timeline.attempt", { number: execution.attempt })}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {execution.status === "queued"
            ? t("synthesis.timeline.waits")
            : t(isOver ? "synthesis.timeline.took" : "synthesis.timeline.since", {
                time: format.duration(taken < 10 && isOver ? taken : Math.round(taken)),
              })}
          {!isOver &&
            expected !== null &&
            ` · ${t("synthesis.timeline.expected", { time: format.duration(Math.round(expected)) })}`}
        </Text>
      </Group>
      <Progress
        value={(execution.status === "succeeded" ? 1 : share) * 100}
        color={color}
        size="lg"
        radius="xl"
        transitionDuration={300}
        aria-label={t("synthesis.timeline.whole")}
      />
      <AskedLine request={execution.request} />
    </Stack>
  );
}

function Connection({ following }: { following: Following }) {
  const { t } = useTranslation();
  if (following.error) return <Problem error={following.error} />;
  if (following.state !== "asking") return null;
  return (
    <Alert color="gray" icon={<IconPlugConnectedX />} p="xs">
      {t("synthesis.timeline.asking")}
    </Alert>
  );
}

function NoCurve() {
  const { t } = useTranslation();
  return (
    <Stack gap={4} h="100%" mih={160} justify="center" align="center">
      <Text fw={600}>{t("synthesis.loss.title")}</Text>
      <Text size="sm" c="dimmed" ta="center" maw={320}>
        {t("synthesis.loss.none")}
      </Text>
    </Stack>
  );
}

/** Tells those who do not see the screen which step it is. */
function Announcer({ following, status }: { following: Following; status: ExecutionDetail["status"] }) {
  const { t } = useTranslation();
  const step = following.story.steps.find((one) => one.state === "running");
  return (
    <span className={classes.unseen} role="status" aria-live="polite">
      {t(`parts.status.${status}`)}
      {step && `: ${t(`synthesis.step.${step.name}`)}`}
    </span>
  );
}

function useNow(isGoing: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1_000);
  const { start, stop } = useInterval(() => setNow(Date.now() / 1_000), 1_000);
  useEffect(() => {
    if (isGoing) start();
    return stop;
  }, [isGoing, start, stop]);
  return now;
}
