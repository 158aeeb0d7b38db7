import { IconAlertTriangleFilled, IconCheck, IconExclamationMark } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { STEPS, type StepName } from "./model/alerts";

/** The five steps, each with what checks say of it; all can be entered at any time. */
export function StepNav({ step }: { step: StepName }) {
  const { t } = useTranslation();
  const { synthesis, alerts, checks } = useConfiguration();
  const count = (name: StepName, severity: string) =>
    alerts.filter((one) => one.spot.step === name && one.finding.severity === severity).length;
  return (
    <nav aria-label={t("configurator.steps.list")} className={classes.steps}>
      <ol>
        {STEPS.map((name, index) => {
          const errors = count(name, "error");
          const warnings = count(name, "warning");
          const state = errors ? "errors" : warnings ? "warnings" : checks.said ? "fine" : "unknown";
          const words =
            state === "errors"
              ? t("configurator.steps.errors", { count: errors })
              : state === "warnings"
                ? t("configurator.steps.warnings", { count: warnings })
                : state === "fine"
                  ? t("configurator.steps.fine")
                  : "";
          return (
            <li key={name}>
              <Link
                to={`/syntheses/${synthesis.id}/configure/${name}`}
                aria-current={name === step ? "step" : undefined}
                className={classes.step}
                data-state={state}
              >
                <span className={classes.mark} aria-hidden>
                  {state === "errors" ? (
                    <IconExclamationMark size={18} stroke={2.5} />
                  ) : state === "warnings" ? (
                    <IconAlertTriangleFilled size={15} />
                  ) : state === "fine" && name !== step ? (
                    <IconCheck size={18} stroke={2.5} />
                  ) : (
                    index + 1
                  )}
                </span>
                <span className={classes.stepWords}>
                  <span className={classes.stepName}>
                    {index + 1}. {t(`configurator.steps.${name}`)}
                  </span>
                  <span className={classes.stepState}>{words}</span>
                </span>
              </Link>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
