import { Alert, Button, Checkbox, Group, Tabs, Text, TextInput, Title } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconEyeOff, IconLayoutColumns, IconSearch, IconTable } from "@tabler/icons-react";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../../api/client";
import { sourceRows, useSource } from "../../../api/sources";
import { PageLoader } from "../../../parts/PageLoader";
import { Problem } from "../../../parts/Problem";
import { typeName } from "../../../parts/TypeIcon";
import { useFormat } from "../../../words/format";
import { ColumnMarks, shieldOf } from "../ColumnMarks";
import classes from "../Configurator.module.css";
import { useConfiguration } from "../context";
import { findCascade, includeColumns, includeTables } from "../model/edits";
import type { ColumnView, TableView } from "../model/view";
import { TableList } from "../TableList";
import { TypeSelect } from "../TypeSelect";
import { useChosenTable } from "../useChosenTable";
import { VirtualList } from "../VirtualList";

const DataGrid = lazy(async () => ({ default: (await import("../../../parts/DataGrid")).DataGrid }));

/** Which tables and columns take part, with a look at their rows. */
export function DataStep() {
  const { view } = useConfiguration();
  const [table, choose] = useChosenTable(view.tables);
  return (
    <div className={classes.panes}>
      <TableList tables={view.tables} chosen={table?.name ?? null} onChoose={choose} canInclude />
      {table && <TablePane table={table} key={table.name} />}
    </div>
  );
}

function TablePane({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const rows = useFormat().number(table.rows);
  return (
    <section className={classes.pane} aria-label={table.name}>
      <Group className={classes.paneHead} justify="space-between" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Title order={3} size="h4" className={classes.cut}>
            {table.name}
          </Title>
          <Text size="sm" c="dimmed">
            {t("configurator.tables.rows", { count: table.rows, shown: rows })}
            {table.found.file && ` · ${table.found.file}${table.found.sheet && ` (${table.found.sheet})`}`}
          </Text>
        </div>
      </Group>
      <Tabs defaultValue="columns" keepMounted={false}>
        <Tabs.List px="md">
          <Tabs.Tab value="columns" leftSection={<IconLayoutColumns size={16} />}>
            {t("configurator.columns.tab")}
          </Tabs.Tab>
          <Tabs.Tab value="rows" leftSection={<IconTable size={16} />}>
            {t("configurator.columns.preview")}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="columns">
          {table.isIncluded ? (
            <Columns table={table} />
          ) : (
            <Alert m="md" icon={<IconEyeOff />} variant="light" color="gray">
              <Group justify="space-between">
                <Text size="sm">{t("configurator.columns.leftOut")}</Text>
                <Button size="xs" onClick={() => edit(includeTables([table.name], true))}>
                  {t("configurator.columns.takeIn")}
                </Button>
              </Group>
            </Alert>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="rows" p="md">
          <Rows table={table} />
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}

function Columns({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { spot } = useConfiguration();
  const include = useInclude(table);
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text).trim().toLowerCase();
  const shown = table.columns.filter((one) => one.name.toLowerCase().includes(wanted));
  const count = table.columns.filter((one) => one.isIncluded).length;
  return (
    <>
      <Group className={classes.tools} justify="space-between">
        <TextInput
          size="xs"
          leftSection={<IconSearch size={14} />}
          placeholder={t("configurator.columns.search")}
          aria-label={t("configurator.columns.search")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Text size="sm" c="dimmed">
          {t("configurator.tables.chosen", { count, total: table.columns.length })}
        </Text>
      </Group>
      <VirtualList
        label={t("configurator.columns.list", { table: table.name })}
        count={shown.length}
        rowHeight={48}
        height="calc(var(--pane-height) - 40px)"
        focus={spot?.column ? shown.findIndex((one) => one.name === spot.column) : undefined}
        keyOf={(index) => shown[index]?.name ?? ""}
      >
        {(index) => {
          const column = shown[index];
          return column && <ColumnRow table={table} column={column} onInclude={include} />;
        }}
      </VirtualList>
    </>
  );
}

function ColumnRow(props: {
  table: TableView;
  column: ColumnView;
  onInclude: (column: string, isIncluded: boolean) => void;
}) {
  const { t } = useTranslation();
  const { table, column, onInclude } = props;
  const { spot } = useConfiguration();
  const missing = table.rows ? column.found.missing / table.rows : 0;
  const format = useFormat();
  const note = column.isDeclared
    ? t("configurator.columns.declared", { type: t(`parts.type.${typeName(column.found.detected)}`) })
    : column.found.reason;
  return (
    <div
      className={classes.dataRow}
      data-out={!column.isIncluded || undefined}
      data-spot={(spot?.column === column.name && spot.table === table.name) || undefined}
    >
      <Checkbox
        checked={column.isIncluded}
        onChange={(event) => onInclude(column.name, event.currentTarget.checked)}
        aria-label={t("configurator.columns.include", { name: column.name })}
      />
      <ColumnMarks column={column} />
      <TypeSelect
        table={table.name}
        column={column}
        label={t("configurator.columns.type", { name: column.name })}
      />
      <Text size="xs" c="dimmed" className={classes.note} title={note}>
        {missing > 0 && <b>{t("configurator.columns.missing", { share: format.percent(missing) })} · </b>}
        {note}
      </Text>
    </div>
  );
}

/** Takes a column in or out; what goes with it is said first, and can be undone. */
function useInclude(table: TableView) {
  const { t } = useTranslation();
  const { document, detection, edit, undo } = useConfiguration();
  return (column: string, isIncluded: boolean) => {
    const change = includeColumns(detection, table.name, [column], isIncluded);
    const cascade = findCascade(document, detection, table.name, [column]);
    const goes = [
      ...(cascade.hasKey ? [t("configurator.cascade.key", { table: table.name })] : []),
      ...cascade.relations.map((one) =>
        t("configurator.cascade.relation", {
          child: `${one.table}.${one.columns.join(", ")}`,
          parent: one.parent,
        }),
      ),
      ...(cascade.rules.length ? [t("configurator.cascade.rules", { count: cascade.rules.length })] : []),
    ];
    if (isIncluded || goes.length === 0) return edit(change);
    modals.openConfirmModal({
      title: t("configurator.cascade.title", { column }),
      labels: { confirm: t("configurator.cascade.confirm"), cancel: t("common.cancel") },
      children: (
        <>
          <Text>{t("configurator.cascade.text")}</Text>
          <ul>
            {goes.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      ),
      onConfirm: () => {
        edit(change);
        const id = notifications.show({
          message: (
            <Group justify="space-between">
              {t("configurator.cascade.done", { column })}
              <Button
                size="compact-sm"
                variant="light"
                onClick={() => {
                  undo();
                  notifications.hide(id);
                }}
              >
                {t("common.undo")}
              </Button>
            </Group>
          ),
        });
      },
    });
  };
}

/** Rows of the table as they are in the source: its owner's alone. */
function Rows({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { synthesis } = useConfiguration();
  const source = useSource(synthesis.source_id);
  if (source.isError && source.error instanceof ApiError && source.error.status === 404)
    return (
      <Alert icon={<IconEyeOff />} color="gray" title={t("configurator.columns.previewGone")}>
        {t("configurator.columns.previewNotYours")}
      </Alert>
    );
  if (source.isError) return <Problem error={source.error} onRetry={() => void source.refetch()} />;
  if (!source.data) return <PageLoader />;
  const columns = table.columns.map((one) => ({
    name: one.name,
    type: one.type,
    isKey: one.isPrimary,
    shield: one.isSensitive ? shieldOf(one) : null,
  }));
  return (
    <Suspense fallback={<PageLoader />}>
      <DataGrid
        label={table.name}
        columns={columns}
        rowCount={table.rows}
        height={420}
        {...sourceRows(source.data.id, source.data.version, table.name)}
      />
    </Suspense>
  );
}
