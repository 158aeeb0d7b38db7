import { Badge, Button, Group, Paper, Stack, Text, UnstyledButton } from "@mantine/core";
import {
  IconAlertTriangle,
  IconArrowRight,
  IconCircleX,
  IconInfoCircle,
  IconWand,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../parts/Problem";
import { typeName } from "../../parts/TypeIcon";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import type { Alert, Remedy, StepName } from "./model/alerts";

const LOOKS = {
  error: { icon: IconCircleX, color: "red" },
  warning: { icon: IconAlertTriangle, color: "yellow" },
  notice: { icon: IconInfoCircle, color: "blue" },
};
const RANK = { error: 0, warning: 1, notice: 2 };
const FEW = 3;

/** What checks say about a step: problems first, each with the way to its place and what repairs it. */
export function AlertList({ step }: { step: StepName }) {
  const { t } = useTranslation();
  const { alerts, checks } = useConfiguration();
  const [isOpen, setOpen] = useState(false);
  const mine = alerts
    .filter((one) => one.spot.step === step)
    .sort((left, right) => RANK[left.finding.severity] - RANK[right.finding.severity]);
  const errors = mine.filter((one) => one.finding.severity === "error").length;
  const few = Math.max(FEW, Math.min(errors, 6));
  const shown = isOpen ? mine : mine.slice(0, few);
  return (
    <section aria-label={t("configurator.alerts.title")} aria-live="polite">
      {checks.error != null && <Problem error={checks.error} onRetry={checks.retry} />}
      {mine.length > 0 && (
        <Stack gap="xs">
          {shown.map((one) => (
            <AlertLine key={one.id} alert={one} />
          ))}
          {mine.length > few && (
            <Button
              variant="subtle"
              size="xs"
              onClick={() => setOpen(!isOpen)}
              style={{ alignSelf: "start" }}
            >
              {isOpen
                ? t("configurator.alerts.less")
                : t("configurator.alerts.more", { count: mine.length - few })}
            </Button>
          )}
        </Stack>
      )}
    </section>
  );
}

function AlertLine({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const { edit, goTo } = useConfiguration();
  const { finding, spot, remedies } = alert;
  const look = LOOKS[finding.severity];
  const Icon = look.icon;
  const place = [spot.table, spot.column].filter(Boolean).join(".") || spot.field || "";
  return (
    <Paper withBorder radius="md" className={classes.alert} data-severity={finding.severity}>
      <Icon size={20} className={classes.alertIcon} aria-hidden />
      <div className={classes.alertBody}>
        <Group gap="xs" wrap="wrap">
          <Badge size="sm" variant="light" color={look.color}>
            {t(`configurator.alerts.${finding.severity}`)}
          </Badge>
          {place && (
            <UnstyledButton className={classes.place} onClick={() => goTo(spot)}>
              {place}
              <IconArrowRight size={14} aria-hidden />
              <span className={classes.unseen}>{t("configurator.alerts.show")}</span>
            </UnstyledButton>
          )}
        </Group>
        <Text size="sm">{finding.message}</Text>
        {remedies.length === 0 && finding.remedy && (
          <Text size="sm" c="dimmed">
            {finding.remedy}
          </Text>
        )}
        {remedies.length > 0 && (
          <Group gap="xs" mt={4}>
            {remedies.map((one) => (
              <Button
                key={one.word + JSON.stringify(one.values)}
                size="compact-sm"
                variant="light"
                leftSection={<IconWand size={14} />}
                onClick={() => edit(one.edit)}
                className={classes.remedy}
              >
                <RemedyWords remedy={one} />
              </Button>
            ))}
          </Group>
        )}
      </div>
    </Paper>
  );
}

function RemedyWords({ remedy }: { remedy: Remedy }) {
  const { t } = useTranslation();
  const values =
    remedy.word === "asType"
      ? { type: t(`parts.type.${typeName(String(remedy.values.type))}`) }
      : remedy.values;
  return <>{t(`configurator.alerts.remedy.${remedy.word}`, values as never)}</>;
}
