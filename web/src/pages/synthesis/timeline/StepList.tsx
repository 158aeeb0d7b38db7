import { Badge, Group, Progress, Stack, Text, ThemeIcon, UnstyledButton } from "@mantine/core";
import {
  IconCheck,
  IconChevronDown,
  IconChevronRight,
  IconCornerDownRight,
  IconLoader2,
  IconPlayerStop,
} from "@tabler/icons-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../../words/format";
import type { Step } from "./story";
import classes from "./Timeline.module.css";

/** The steps, one below the other: what was done, what is being done, what is to come. */
export function StepList({ steps, now }: { steps: Step[]; now: number }) {
  return (
    <ol className={classes.steps}>
      {steps.map((step) => (
        <StepItem key={step.name} step={step} now={now} />
      ))}
    </ol>
  );
}

function StepItem({ step, now }: { step: Step; now: number }) {
  const { t } = useTranslation();
  const isDone = step.state === "finished" || step.state === "inherited";
  return (
    <li className={classes.step} data-state={step.state} data-done={isDone || undefined}>
      <Mark state={step.state} />
      <Stack gap={4} pt={2}>
        <Group justify="space-between" gap="xs" wrap="nowrap" align="baseline">
          <Group gap="xs">
            <Text fw={600} c={step.state === "waiting" ? "dimmed" : undefined}>
              {t(`synthesis.step.${step.name}`)}
            </Text>
            <Text size="sm" c="dimmed">
              {t(`synthesis.stepState.${step.state}`)}
            </Text>
            {step.state === "inherited" && (
              <Badge variant="light" color="gray" size="sm" tt="none">
                {t("synthesis.timeline.inherited")}
              </Badge>
            )}
          </Group>
          <Times step={step} now={now} />
        </Group>
        {step.state === "running" && <Doing step={step} />}
        <Messages step={step} />
      </Stack>
    </li>
  );
}

const MARKS = {
  waiting: { color: "gray", icon: null },
  running: { color: "kin", icon: IconLoader2 },
  finished: { color: "teal", icon: IconCheck },
  inherited: { color: "teal", icon: IconCornerDownRight },
  stopped: { color: "red", icon: IconPlayerStop },
} as const;

function Mark({ state }: { state: Step["state"] }) {
  const { color, icon: Icon } = MARKS[state];
  return (
    <ThemeIcon
      className={classes.mark}
      size={28}
      radius="xl"
      color={color}
      variant={state === "waiting" ? "transparent" : "filled"}
      autoContrast={false}
      aria-hidden
    >
      {Icon && <Icon size={16} stroke={2.4} className={state === "running" ? classes.turning : undefined} />}
    </ThemeIcon>
  );
}

function Times({ step, now }: { step: Step; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (step.seconds !== null)
    return (
      <Text size="sm" c="dimmed" style={{ whiteSpace: "nowrap" }}>
        {format.duration(step.seconds)}
      </Text>
    );
  if (step.state !== "running" || step.started === null) return null;
  const left = step.ends === null ? null : step.ends - now;
  return (
    <Text size="sm" c="dimmed" ta="right">
      {format.duration(Math.round(now - step.started))}
      {left !== null &&
        ` · ${left < 1 ? t("synthesis.timeline.soon") : t("synthesis.timeline.left", { time: format.duration(Math.ceil(left)) })}`}
    </Text>
  );
}

function Doing({ step }: { step: Step }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Stack gap={4}>
      <Progress
        value={step.share * 100}
        size="md"
        radius="xl"
        transitionDuration={300}
        aria-label={t("synthesis.timeline.share", { step: t(`synthesis.step.${step.name}`) })}
      />
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm" c="dimmed" truncate>
          {step.doing}
        </Text>
        <Text size="sm" c="dimmed">
          {format.percent(step.share, 0)}
        </Text>
      </Group>
    </Stack>
  );
}

function Messages({ step }: { step: Step }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  if (step.messages.length === 0) return null;
  return (
    <div>
      <UnstyledButton onClick={() => setOpen(!isOpen)} aria-expanded={isOpen} aria-controls={id}>
        <Group gap={4} c="dimmed">
          {isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
          <Text size="sm">{t("synthesis.timeline.messages", { count: step.messages.length })}</Text>
        </Group>
      </UnstyledButton>
      {isOpen && (
        <ul id={id} className={classes.messages}>
          {step.messages.map((message, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: messages are only added, and may be equal
            <li key={place}>{message}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
