import { NumberInput, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { checkOf } from "../../../../api/executions";
import { type Synthesis, useSynthesis } from "../../../../api/syntheses";
import { useFormat } from "../../../../words/format";
import { rootTables } from "./roots";

type Rows = Record<string, number>;

/** How many rows a new run makes, and how long it will take. */
export function RowsOfRun({
  synthesis,
  rows,
  onRows,
}: {
  synthesis: Synthesis;
  rows: Rows;
  onRows: (rows: Rows) => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const detail = useSynthesis(synthesis.id);
  const check = useQuery(checkOf(synthesis.id, synthesis.version));
  const found = check.data?.rows ?? {};
  const tables = Object.keys(found).length ? Object.keys(found) : rootTables(detail.data?.document ?? {});
  const seconds = check.data?.assessment?.seconds;
  return (
    <>
      <RowsWanted tables={tables} found={found} rows={rows} onRows={onRows} />
      {(check.isPending || seconds !== undefined) && (
        <Text size="sm" c="dimmed" role="status">
          {check.isPending && t("synthesis.start.checking")}
          {seconds !== undefined &&
            t("synthesis.start.estimate", { time: format.duration(Math.round(seconds)) })}
        </Text>
      )}
    </>
  );
}

/** How many rows of each root table; what stays empty has as many as the source. */
export function RowsWanted({
  tables,
  found,
  rows,
  onRows,
}: {
  tables: string[];
  /** Rows in the source, where they are known. */
  found: Rows;
  rows: Rows;
  onRows: (rows: Rows) => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const change = (table: string, value: number | null) => {
    const { [table]: _gone, ...others } = rows;
    onRows(value === null ? others : { ...others, [table]: value });
  };
  return tables.map((table) => (
    <NumberInput
      key={table}
      label={t("synthesis.start.rows", { table })}
      description={table === tables[0] ? t("synthesis.start.rowsAbout") : undefined}
      placeholder={found[table] === undefined ? undefined : format.number(found[table])}
      value={rows[table] ?? ""}
      min={1}
      allowDecimal={false}
      thousandSeparator={t("synthesis.start.thousands")}
      onChange={(value) => change(table, value === "" ? null : Number(value))}
    />
  ));
}
