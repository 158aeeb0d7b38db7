/** What somebody may do to a document. Every edit gives a new one; what it does not touch stays as it is. */

import type { Detection } from "../../../api/sources";
import {
  type ColumnSettings,
  type Document,
  type ForeignKey,
  type Place,
  type Rule,
  read,
  write,
} from "./document";
import { keysOf } from "./view";

export type Edit = (document: Document) => Document;

const tablePlace = (table: string, ...rest: string[]): Place => ["tables", table, ...rest];
const columnPlace = (table: string, column: string, ...rest: string[]): Place =>
  tablePlace(table, "columns", column, ...rest);

/** Put a value; undefined gives the field back its default. */
export function set(place: Place, value: unknown): Edit {
  return (document) => write(document, place, value);
}

export function all(...edits: Edit[]): Edit {
  return (document) => edits.reduce((done, edit) => edit(done), document);
}

/** Take a table in or out. Its keys stay in the document and count again when it comes back. */
export function includeTables(tables: readonly string[], isIncluded: boolean): Edit {
  return all(...tables.map((table) => set(tablePlace(table, "include"), isIncluded ? undefined : false)));
}

/** What goes with columns that are left out: keys, relations and rules that use one of them. */
export interface Cascade {
  hasKey: boolean;
  relations: { table: string; columns: string[]; parent: string }[];
  rules: Rule[];
}

export function findCascade(
  document: Document,
  detection: Detection,
  table: string,
  columns: readonly string[],
): Cascade {
  const uses = (names: readonly string[] | null | undefined) =>
    names?.some((one) => columns.includes(one)) ?? false;
  const key = primaryKeyOf(document, detection, table);
  const relations = detection.tables.flatMap((one) =>
    keysOf(document, detection, one.name)
      .filter((found) => usesColumns(one.name, found, table, columns, key))
      .map((found) => ({ table: one.name, columns: found.columns, parent: found.table })),
  );
  return {
    hasKey: uses(key),
    relations,
    rules: (document.tables?.[table]?.rules ?? []).filter((rule) => uses(rule.columns)),
  };
}

/** Take columns in or out; with them go the keys, relations, rules and the order that use them. */
export function includeColumns(
  detection: Detection,
  table: string,
  columns: readonly string[],
  isIncluded: boolean,
): Edit {
  if (isIncluded) return all(...columns.map((one) => set(columnPlace(table, one, "include"), undefined)));
  return (document) => {
    const key = primaryKeyOf(document, detection, table);
    const isGone = (name: string) => columns.includes(name);
    let made = document;
    for (const one of detection.tables) {
      const keys = keysOf(document, detection, one.name);
      const left = keys.filter((found) => !usesColumns(one.name, found, table, columns, key));
      if (left.length < keys.length) made = write(made, tablePlace(one.name, "foreign_keys"), left);
    }
    if (key.some(isGone)) made = write(made, tablePlace(table, "primary_key"), []);
    const rules = document.tables?.[table]?.rules;
    if (rules?.some((rule) => rule.columns.some(isGone)))
      made = write(
        made,
        tablePlace(table, "rules"),
        rules.filter((rule) => !rule.columns.some(isGone)),
      );
    const order = document.tables?.[table]?.order_by;
    if (order && isGone(order)) made = write(made, tablePlace(table, "order_by"), "");
    return columns.reduce((done, one) => write(done, columnPlace(table, one, "include"), false), made);
  };
}

function usesColumns(
  owner: string,
  found: ForeignKey,
  table: string,
  columns: readonly string[],
  key: readonly string[],
): boolean {
  const references = found.references?.length ? found.references : key;
  return (
    (owner === table && found.columns.some((one) => columns.includes(one))) ||
    (found.table === table && references.some((one) => columns.includes(one)))
  );
}

function primaryKeyOf(document: Document, detection: Detection, table: string): readonly string[] {
  const found = detection.tables.find((one) => one.name === table);
  return document.tables?.[table]?.primary_key ?? found?.primary_key ?? [];
}

export function setPrimaryKey(table: string, columns: readonly string[]): Edit {
  return set(tablePlace(table, "primary_key"), [...columns]);
}

// Foreign keys: the first edit writes out those that were only detected

export function addForeignKey(detection: Detection, table: string, key: ForeignKey): Edit {
  return changeKeys(detection, table, (keys) => [...keys, key]);
}

export function replaceForeignKey(detection: Detection, table: string, index: number, key: ForeignKey): Edit {
  return changeKeys(detection, table, (keys) => keys.map((one, number) => (number === index ? key : one)));
}

export function removeForeignKey(detection: Detection, table: string, index: number): Edit {
  return changeKeys(detection, table, (keys) => keys.filter((_, number) => number !== index));
}

function changeKeys(detection: Detection, table: string, change: (keys: ForeignKey[]) => ForeignKey[]): Edit {
  return (document) =>
    write(document, tablePlace(table, "foreign_keys"), change(keysOf(document, detection, table)));
}

// Treatment

export function setOriginal(tables: readonly string[], isOriginal: boolean): Edit {
  return all(...tables.map((table) => set(tablePlace(table, "original"), isOriginal || undefined)));
}

/** Options of a column that go with its type. */
const KEPT_OPTIONS = new Set(["include", "type", "treatment", "sensitive", "context", "missing", "never"]);

/** Give a column another type; options of the old one go, and rules that use it, which may not hold for the new. */
/** Say whether columns are personal; "no" is written, too, or detection would propose it again. */
export function setSensitive(table: string, columns: readonly string[], isSensitive: boolean): Edit {
  return setColumn(table, columns, "sensitive", isSensitive);
}

export function setType(table: string, column: string, type: string | undefined): Edit {
  return (document) => {
    const said = (read(document, columnPlace(table, column)) ?? {}) as ColumnSettings;
    if (said.type === type) return document;
    const kept = Object.fromEntries(Object.entries(said).filter(([name]) => KEPT_OPTIONS.has(name)));
    const settings = type === undefined ? without(kept, "type") : { ...kept, type };
    const rules = document.tables?.[table]?.rules;
    const made = write(document, columnPlace(table, column), settings);
    return rules?.some((rule) => rule.columns.includes(column))
      ? write(
          made,
          tablePlace(table, "rules"),
          rules.filter((rule) => !rule.columns.includes(column)),
        )
      : made;
  };
}

function without(settings: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: _gone, ...others } = settings;
  return others;
}

export function setColumn(table: string, columns: readonly string[], option: string, value: unknown): Edit {
  return all(...columns.map((column) => set(columnPlace(table, column, option), value)));
}
