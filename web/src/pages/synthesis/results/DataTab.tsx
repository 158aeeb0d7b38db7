import { Group, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Certificate, Evaluation } from "../../../api/evaluation";
import { type ExecutionDetail, readRows, rowsKey, useTable } from "../../../api/executions";
import { DataGrid } from "../../../parts/DataGrid";
import { Problem } from "../../../parts/Problem";
import { Shield } from "../../../parts/Shield";
import { useFormat } from "../../../words/format";
import { usePlace } from "../place";
import { gridColumns, tableSettings } from "./columns";

/** The synthetic rows, table by table. */
export function DataTab({
  execution,
  evaluation,
  certificate,
}: {
  execution: ExecutionDetail;
  evaluation: Evaluation | null;
  certificate: Certificate;
}) {
  const { t } = useTranslation();
  const place = usePlace();
  const tables = tablesOf(certificate);
  const table = tables.find((name) => name === place.table) ?? tables[0];
  if (table === undefined) return <Text c="dimmed">{t("synthesis.data.none")}</Text>;
  const isCopied = tableSettings(execution.document, table).original;
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="md">
        <Select
          aria-label={t("synthesis.data.table")}
          w={280}
          maw="100%"
          searchable
          allowDeselect={false}
          data={tables.map((name) => ({
            value: name,
            label: `${name}${tableSettings(execution.document, name).original ? " *" : ""}`,
          }))}
          value={table}
          onChange={(name) => place.go({ table: name })}
          nothingFoundMessage={t("synthesis.data.notFound")}
        />
        {isCopied && (
          <Text size="sm" c="dimmed">
            {t("synthesis.data.copied")}
          </Text>
        )}
      </Group>
      <Rows key={table} execution={execution} evaluation={evaluation} table={table} />
    </Stack>
  );
}

function Rows({
  execution,
  evaluation,
  table,
}: {
  execution: ExecutionDetail;
  evaluation: Evaluation | null;
  table: string;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const { id, document } = execution;
  const found = useTable(id, table);
  const columns = useMemo(
    () => (found.data ? gridColumns(document, evaluation, table, found.data.columns) : []),
    [document, evaluation, table, found.data],
  );
  if (found.isError) return <Problem error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton h={520} radius="lg" />;
  const shields = columns.flatMap((column) => column.shield ?? []);
  return (
    <>
      <DataGrid
        label={t("synthesis.data.label", { table, rows: format.number(found.data.total) })}
        columns={columns}
        rowCount={found.data.total}
        queryKey={rowsKey(id, table)}
        fetchRows={async (offset, limit, signal) => (await readRows(id, table, offset, limit, signal)).rows}
        height="max(420px, calc(100vh - 480px))"
      />
      {shields.length > 0 && (
        <Group gap="lg">
          {[...new Set(shields)].map((state) => (
            <Shield key={state} state={state} withWords />
          ))}
        </Group>
      )}
    </>
  );
}

/** The tables of a result: each was proven to be there. */
export function tablesOf(certificate: Certificate): string[] {
  return certificate.guarantees.filter((one) => one.code === "table.present").map((one) => one.where);
}
