import { Text, UnstyledButton } from "@mantine/core";
import { IconShield } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Shield } from "../../parts/Shield";
import { shieldOf } from "./ColumnMarks";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { setSensitive } from "./model/edits";
import type { ColumnView } from "./model/view";

/** Whether a column is personal, in words and with its shield; a click says the other. */
export function SensitiveToggle({ table, column }: { table: string; column: ColumnView }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const { personal } = column.found;
  const state = column.isSensitive
    ? t(`parts.shield.${shieldOf(column)}`)
    : t("configurator.treatment.notSensitive");
  return (
    <UnstyledButton
      className={classes.shield}
      aria-pressed={column.isSensitive}
      aria-label={`${state}: ${column.name}`}
      title={
        personal
          ? t("sources.column.personal", { reason: personal })
          : t("configurator.treatment.toggleSensitive")
      }
      onClick={() => edit(setSensitive(table, [column.name], !column.isSensitive))}
    >
      {column.isSensitive ? (
        <Shield state={shieldOf(column)} withWords />
      ) : (
        <>
          <IconShield size={18} stroke={1.4} aria-hidden />
          <Text span size="sm" c="dimmed">
            {t("configurator.treatment.notSensitive")}
          </Text>
        </>
      )}
    </UnstyledButton>
  );
}
