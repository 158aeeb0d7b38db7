import type { Schemas } from "../../../../api/client";
import type { ModelDetail } from "../../../../api/executions";

export const KINDS = ["fixed", "share", "never", "noMissing"] as const;
export type Kind = (typeof KINDS)[number];

/** A condition while it is being written. */
export interface Wish {
  id: number;
  kind: Kind;
  /** As table.column. */
  column: string;
  /** As the source writes it; empty for a missing value. */
  value: string;
  /** Percent of the rows. */
  share: number | "";
}

export type Method = Schemas["Fill"]["method"];

/** Rows that are known already, and what is made of them. */
export interface Known {
  /** The source that holds them; empty for none. */
  sourceId: string;
  /** How their empty cells are filled; null when a database is drawn from them. */
  method: Method | null;
  allowMissing: boolean;
}

/** What is asked of a drawing while it is being written. */
export interface Drawing {
  /** Rows of root tables; of others as many as in the source. */
  rows: Record<string, number>;
  wishes: Wish[];
  /** The temperature; null for the model's own. */
  variety: number | null;
  known: Known;
}

export const NOTHING_ASKED: Drawing = {
  rows: {},
  wishes: [],
  variety: null,
  known: { sourceId: "", method: null, allowMissing: false },
};

/** Give a drawing as the server is asked for it. */
export function writeDrawing(drawing: Drawing) {
  const { sourceId, method, allowMissing } = drawing.known;
  return {
    rows: drawing.rows,
    conditions: writeConditions(drawing.wishes, drawing.variety),
    given: sourceId ? { source_id: sourceId, tables: {} } : null,
    fill: sourceId && method ? { method, allow_missing: allowMissing } : null,
  };
}

function writeConditions(wishes: readonly Wish[], temperature: number | null): Schemas["Asked"] {
  const of = (kind: Kind) => wishes.filter((one) => one.kind === kind);
  return {
    fixed: of("fixed").map((one) => [one.column, one.value]),
    shares: of("share").map((one) => [one.column, one.value, Number(one.share) / 100]),
    never: of("never").map((one) => [one.column, one.value]),
    no_missing: of("noMissing").map((one) => one.column),
    empty_is_missing: [],
    temperature,
  };
}

export interface ColumnGroup {
  group: string;
  items: { value: string; label: string }[];
}

/** The columns that a condition can name, by table: one that all rows have needs a table without parents. */
export function listColumns(model: ModelDetail, kind: Kind): ColumnGroup[] {
  return model.tables
    .filter((table) => !table.original && (kind !== "fixed" || table.rows !== null))
    .map((table) => ({
      group: table.name,
      items: table.columns
        .filter((column) => !column.in_key)
        .map((column) => ({ value: `${table.name}.${column.name}`, label: column.name })),
    }))
    .filter((one) => one.items.length > 0);
}

/** The rows that each table without parents had in the source of a model. */
export function listRoots(model: ModelDetail): Record<string, number> {
  return Object.fromEntries(
    model.tables.flatMap((table) => (table.rows === null ? [] : [[table.name, table.rows]])),
  );
}
