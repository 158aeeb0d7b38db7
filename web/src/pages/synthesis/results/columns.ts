import type { Evaluation } from "../../../api/evaluation";
import type { GridColumn } from "../../../parts/DataGrid";

/** What of a document says how a table's columns are shown. */
interface TableSettings {
  original?: boolean;
  primary_key?: string[] | null;
  foreign_keys?: { columns: string[] }[] | null;
  columns?: Record<string, { type?: string | null; sensitive?: boolean; treatment?: string }>;
}
type Document = Record<string, unknown>;

/** The settings of a table, where a document has any. */
export function tableSettings(document: Document, table: string): TableSettings {
  const tables = (document.tables ?? {}) as Record<string, TableSettings>;
  return tables[table] ?? {};
}

/** Give names of columns their type, key and shield: as the document has it, or as it was evaluated. */
export function gridColumns(
  document: Document,
  evaluation: Evaluation | null,
  table: string,
  names: string[],
): GridColumn[] {
  const settings = tableSettings(document, table);
  const key = new Set(settings.primary_key ?? []);
  const references = new Set((settings.foreign_keys ?? []).flatMap((one) => one.columns));
  const evaluated = evaluation?.tables.find((one) => one.name === table)?.columns ?? [];
  const types = new Map(evaluated.map((one) => [one.name, one.type]));
  return names.map((name) => {
    const own = settings.columns?.[name];
    const type = references.has(name) ? "reference" : (own?.type ?? types.get(name));
    return {
      name,
      isKey: key.has(name),
      type: key.has(name) && !references.has(name) ? undefined : type,
      shield: own?.sensitive ? (settings.original ? "excluded" : "protected") : null,
    };
  });
}
