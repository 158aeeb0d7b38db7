import { Button, Checkbox, Group, Text, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { IconAlertTriangleFilled, IconAsterisk, IconCircleXFilled, IconSearch } from "@tabler/icons-react";
import { useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../words/format";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { includeTables } from "./model/edits";
import type { TableView } from "./model/view";
import { VirtualList } from "./VirtualList";

interface Props {
  tables: TableView[];
  chosen: string | null;
  onChoose: (table: string) => void;
  /** Whether tables are taken in and out here. */
  canInclude?: boolean;
}

/** Tables to choose one from: with what they are and what checks say of them. */
export function TableList({ tables, chosen, onChoose, canInclude = false }: Props) {
  const { t } = useTranslation();
  const { alerts, edit, step } = useConfiguration();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text).trim().toLowerCase();
  const shown = useMemo(
    () => tables.filter((one) => one.name.toLowerCase().includes(wanted)),
    [tables, wanted],
  );
  const severities = useMemo(() => {
    const found = new Map<string, "error" | "warning">();
    for (const { spot, finding } of alerts)
      if (spot.step === step && spot.table && finding.severity !== "notice")
        if (found.get(spot.table) !== "error") found.set(spot.table, finding.severity as "error" | "warning");
    return found;
  }, [alerts, step]);
  const format = useFormat();
  const included = tables.filter((one) => one.isIncluded).length;
  const names = shown.map((one) => one.name);
  return (
    <section className={classes.pane} aria-label={t("configurator.tables.list")}>
      <div className={classes.paneHead}>
        <TextInput
          size="sm"
          leftSection={<IconSearch size={16} />}
          placeholder={t("configurator.tables.search")}
          aria-label={t("configurator.tables.search")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {canInclude && (
          <Group justify="space-between" mt={8} wrap="nowrap">
            <Text size="sm" c="dimmed">
              {t("configurator.tables.chosen", { count: included, total: tables.length })}
            </Text>
            <Group gap={4} wrap="nowrap">
              <Button size="compact-xs" variant="subtle" onClick={() => edit(includeTables(names, true))}>
                {t("configurator.tables.all")}
              </Button>
              <Button size="compact-xs" variant="subtle" onClick={() => edit(includeTables(names, false))}>
                {t("configurator.tables.none")}
              </Button>
            </Group>
          </Group>
        )}
      </div>
      {shown.length === 0 ? (
        <Text c="dimmed" p="md" size="sm">
          {t("configurator.tables.nothing")}
        </Text>
      ) : (
        <VirtualList
          label={t("configurator.tables.list")}
          count={shown.length}
          rowHeight={52}
          height="var(--pane-height)"
          focus={shown.findIndex((one) => one.name === chosen)}
          keyOf={(index) => shown[index]?.name ?? ""}
        >
          {(index) => {
            const table = shown[index];
            if (!table) return null;
            const severity = severities.get(table.name);
            return (
              <div className={classes.table} data-chosen={table.name === chosen || undefined}>
                {canInclude && (
                  <Checkbox
                    checked={table.isIncluded}
                    onChange={(event) => edit(includeTables([table.name], event.currentTarget.checked))}
                    aria-label={t("configurator.tables.include", { name: table.name })}
                  />
                )}
                <UnstyledButton
                  className={classes.tableName}
                  aria-current={table.name === chosen ? "true" : undefined}
                  data-out={!table.isIncluded || undefined}
                  onClick={() => onChoose(table.name)}
                >
                  <Text span fw={550} size="sm" truncate>
                    {table.name}
                    {table.isOriginal && (
                      <Tooltip label={t("configurator.tables.original")}>
                        <IconAsterisk
                          size={14}
                          stroke={2.5}
                          role="img"
                          aria-label={t("configurator.tables.original")}
                          className={classes.asterisk}
                        />
                      </Tooltip>
                    )}
                  </Text>
                  <Text span size="xs" c="dimmed">
                    {t("configurator.tables.rows", { count: table.rows, shown: format.number(table.rows) })}
                    {" · "}
                    {t("parts.grid.columns", { count: table.columns.length })}
                  </Text>
                </UnstyledButton>
                {severity === "error" && (
                  <IconCircleXFilled
                    size={16}
                    className={classes.errorMark}
                    role="img"
                    aria-label={t("configurator.alerts.error")}
                  />
                )}
                {severity === "warning" && (
                  <IconAlertTriangleFilled
                    size={16}
                    className={classes.warningMark}
                    role="img"
                    aria-label={t("configurator.alerts.warning")}
                  />
                )}
              </div>
            );
          }}
        </VirtualList>
      )}
    </section>
  );
}
