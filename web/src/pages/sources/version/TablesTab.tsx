import { Badge, Box, Group, SegmentedControl, Select, Stack, Text, Title } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { type DetectedTable, type SourceVersion, sourceRows } from "../../../api/sources";
import { DataGrid } from "../../../parts/DataGrid";
import { useFormat } from "../../../words/format";
import { ColumnsView } from "./ColumnsView";
import { TableList } from "./TableList";
import classes from "./TablesTab.module.css";

/** The tables of a version, and the rows or columns of one. */
export function TablesTab({ version, tables }: { version: SourceVersion; tables: DetectedTable[] }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const table = tables.find((one) => one.name === search.get("table")) ?? tables[0];
  const choose = (name: string) =>
    setSearch(
      (before) => {
        before.set("table", name);
        return before;
      },
      { replace: true },
    );
  if (!table) return null;
  return (
    <div className={classes.split}>
      <Box visibleFrom="md">
        <TableList tables={tables} chosen={table.name} onChoose={choose} />
      </Box>
      <Stack miw={0}>
        <Select
          hiddenFrom="md"
          label={t("sources.page.tableLabel")}
          searchable
          allowDeselect={false}
          value={table.name}
          onChange={(name) => name && choose(name)}
          data={tables.map((one) => one.name)}
        />
        <OneTable key={table.name} version={version} table={table} />
      </Stack>
    </div>
  );
}

function OneTable({ version, table }: { version: SourceVersion; table: DetectedTable }) {
  const { t } = useTranslation();
  const [view, setView] = useState("preview");
  const columns = useMemo(
    () =>
      table.columns.map((one) => ({
        name: one.name,
        type: one.type,
        isKey: table.primary_key.includes(one.name),
      })),
    [table],
  );
  return (
    <>
      <Group justify="space-between">
        <TableHead table={table} />
        <SegmentedControl
          value={view}
          onChange={setView}
          data={[
            { value: "preview", label: t("sources.page.preview") },
            { value: "columns", label: t("sources.page.columns_other", { count: table.columns.length }) },
          ]}
        />
      </Group>
      {view === "preview" ? (
        <DataGrid
          label={t("sources.page.rowsLabel", { table: table.name })}
          columns={columns}
          rowCount={table.rows}
          height="max(320px, calc(100vh - 430px))"
          {...sourceRows(version.source_id, version.number, table.name)}
        />
      ) : (
        <ColumnsView table={table} />
      )}
    </>
  );
}

function TableHead({ table }: { table: DetectedTable }) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const said = [
    t("sources.page.rows", { count: table.rows, amount: number(table.rows) }),
    table.sheet ? t("sources.page.sheet", { sheet: table.sheet, file: table.file }) : table.file,
    table.dialect && t("sources.page.read", { ...table.dialect }),
    table.order_by && t("sources.page.order", { column: table.order_by }),
  ];
  return (
    <Stack gap={2}>
      <Group gap="sm">
        <Title order={2} size="h4">
          {table.name}
        </Title>
        {table.primary_key.length > 0 ? (
          <Badge
            variant="light"
            tt="none"
            leftSection={<IconKey size={13} aria-hidden />}
            title={`${t("sources.page.key")}: ${table.key_reason}`}
          >
            {table.primary_key.join(", ")}
          </Badge>
        ) : (
          <Badge variant="light" color="gray" tt="none">
            {t("sources.page.noKey")}
          </Badge>
        )}
      </Group>
      <Text size="sm" c="dimmed">
        {said.filter(Boolean).join(" · ")}
      </Text>
    </Stack>
  );
}
