import { Button, Group, Menu } from "@mantine/core";
import { modals } from "@mantine/modals";
import {
  IconChevronDown,
  IconPlayerPlay,
  IconPlayerStop,
  IconReportAnalytics,
  IconRotateClockwise,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import {
  type Execution,
  isFinal,
  type StepName,
  useCancel,
  useResume,
  useRetry,
} from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { useUser } from "../../../app/session";
import { Refusal } from "../Failure";
import { usePlace } from "../place";
import { may, mayChange } from "../rights";
import { STEPS } from "./story";

/** What can be done with an execution as it stands: stop it, let it go on, do it again, see its results. */
export function TimelineActions({
  synthesis,
  execution,
  stoppedAt,
  onClose,
}: {
  synthesis: Synthesis;
  execution: Execution;
  /** The first step that is not done. */
  stoppedAt: StepName;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const place = usePlace();
  const user = useUser();
  const [cancel, resume, retry] = [useCancel(), useResume(), useRetry()];
  const { id, status } = execution;
  const isMine = mayChange(synthesis, execution, user.id);
  const refused = [cancel, resume, retry].find((one) => one.isError);
  const again = (first_step: StepName) =>
    retry.mutate(
      { id, name: "", first_step },
      { onSuccess: (made) => place.go({ timeline: made.id, execution: made.id }) },
    );
  const stop = () =>
    modals.openConfirmModal({
      title: t("synthesis.cancel.title"),
      children: t("synthesis.cancel.about"),
      labels: { confirm: t("synthesis.cancel.confirm"), cancel: t("synthesis.cancel.keep") },
      confirmProps: { color: "red" },
      onConfirm: () => cancel.mutate(id),
    });
  return (
    <>
      {refused && <Refusal error={refused.error} synthesisId={synthesis.id} />}
      <Group justify="flex-end" gap="sm">
        {isMine && ["queued", "running", "paused"].includes(status) && (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} />}
            loading={cancel.isPending}
            onClick={stop}
          >
            {t("synthesis.cancel.action")}
          </Button>
        )}
        {isMine && status === "paused" && (
          <Button
            leftSection={<IconPlayerPlay size={16} />}
            loading={resume.isPending}
            onClick={() => resume.mutate(id)}
          >
            {t("synthesis.resume")}
          </Button>
        )}
        {isFinal(status) && may(synthesis, "run") && (
          <Again execution={execution} stoppedAt={stoppedAt} isPending={retry.isPending} onAgain={again} />
        )}
        {status === "succeeded" && (
          <Button
            leftSection={<IconReportAnalytics size={16} />}
            onClick={() => {
              place.go({ execution: id });
              onClose();
            }}
          >
            {t("synthesis.timeline.results")}
          </Button>
        )}
      </Group>
    </>
  );
}

/** Do it again, whole or from a step on. */
function Again({
  execution,
  stoppedAt,
  isPending,
  onAgain,
}: {
  execution: Execution;
  stoppedAt: StepName;
  isPending: boolean;
  onAgain: (step: StepName) => void;
}) {
  const { t } = useTranslation();
  const steps =
    execution.kind === "run" ? STEPS : STEPS.filter((one) => one === "synthesis" || one === "storing");
  const isFailed = execution.status !== "succeeded";
  return (
    <Button.Group>
      <Button
        variant={isFailed ? "filled" : "default"}
        leftSection={<IconRotateClockwise size={16} />}
        loading={isPending}
        onClick={() => onAgain(isFailed ? stoppedAt : "loading")}
      >
        {t(isFailed ? "synthesis.again.on" : "synthesis.again.whole")}
      </Button>
      <Menu position="top-end" withinPortal>
        <Menu.Target>
          <Button
            variant={isFailed ? "filled" : "default"}
            px="xs"
            aria-label={t("synthesis.again.from")}
            disabled={isPending}
          >
            <IconChevronDown size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("synthesis.again.from")}</Menu.Label>
          {steps.map((step) => (
            <Menu.Item key={step} onClick={() => onAgain(step)}>
              {t(`synthesis.step.${step}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </Button.Group>
  );
}
