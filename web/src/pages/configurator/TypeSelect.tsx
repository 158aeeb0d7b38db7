import { NativeSelect } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { TypeIcon, typeName } from "../../parts/TypeIcon";
import { useConfiguration } from "./context";
import { setType } from "./model/edits";
import { fieldAt } from "./model/schema";
import type { ColumnView } from "./model/view";

const TYPE = ["tables", "*", "columns", "*", "type"];

/** The type of a column: as detected, or as somebody says. */
export function TypeSelect({ table, column, label }: { table: string; column: ColumnView; label: string }) {
  const { t } = useTranslation();
  const { schema, edit } = useConfiguration();
  const isKey = column.isPrimary || column.parents.length > 0;
  const detected = isKey ? "identifier" : column.found.detected;
  return (
    <NativeSelect
      size="xs"
      w="100%"
      aria-label={label}
      leftSection={<TypeIcon type={column.type} size={16} />}
      value={column.settings.type ?? (isKey ? "" : column.type)}
      onChange={(event) => edit(setType(table, column.name, event.currentTarget.value || undefined))}
    >
      {isKey && (
        <option value="">
          {t("configurator.treatment.asDetected", { type: t(`parts.type.${typeName(detected)}`) })}
        </option>
      )}
      {fieldAt(schema, TYPE)?.choices.map((type) => (
        <option key={type} value={type}>
          {t(`parts.type.${typeName(type)}`)}
        </option>
      ))}
    </NativeSelect>
  );
}
