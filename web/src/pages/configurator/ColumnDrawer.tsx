import { Drawer, Group, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { useConfiguration } from "./context";
import { type Field, fieldsOf, holds, type JsonSchema } from "./model/schema";
import type { ColumnView, TableView } from "./model/view";
import { SensitiveToggle } from "./SensitiveToggle";
import { SettingField } from "./SettingField";
import { TypeSelect } from "./TypeSelect";

const COLUMN = ["tables", "*", "columns", "*"];
/** What stands in the row of the column itself. */
const IN_ROW = new Set(["include", "type", "treatment", "sensitive"]);

/** Where rows have no room for type and sensitivity, which stand in the drawer then. */
export const NARROW = "(max-width: 48em)";

/** The options of a column of a type. */
export function optionsOf(schema: JsonSchema, column: ColumnView): Field[] {
  const isKey = column.isPrimary || column.parents.length > 0;
  return fieldsOf(schema, COLUMN).filter(
    (field) =>
      !IN_ROW.has(field.name) &&
      (field.types === null || field.types.includes(column.type)) &&
      (field.name !== "key_format" || isKey),
  );
}

/** All options of a column that its type has. */
export function ColumnDrawer(props: { table: TableView; column: ColumnView; onClose: () => void }) {
  const { t } = useTranslation();
  const { schema, document } = useConfiguration();
  const { table, column, onClose } = props;
  const isNarrow = useMediaQuery(NARROW);
  const fields = (table.isOriginal ? [] : optionsOf(schema, column)).filter((field) =>
    holds(field.visibleWhen, schema, document, {}, [table.name, column.name]),
  );
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="md"
      title={
        <Text fw={650} size="lg">
          {t("configurator.treatment.options", { name: column.name })}
        </Text>
      }
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack gap="lg">
        {isNarrow && (
          <Group justify="space-between">
            <TypeSelect
              table={table.name}
              column={column}
              label={t("configurator.columns.type", { name: column.name })}
            />
            <SensitiveToggle table={table.name} column={column} />
          </Group>
        )}
        {fields.length === 0 && <Text c="dimmed">{t("configurator.treatment.noOptions")}</Text>}
        {fields.map((field) => (
          <SettingField
            key={field.name}
            field={field}
            place={["tables", table.name, "columns", column.name, field.name]}
          />
        ))}
      </Stack>
    </Drawer>
  );
}
