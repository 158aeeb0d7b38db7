/** What the configurator shows: the document over what was detected. */

import type { DetectedColumn, DetectedTable, Detection } from "../../../api/sources";
import type { ColumnSettings, Document, ForeignKey, TableSettings } from "./document";

export interface ColumnView {
  name: string;
  /** What it is taken for: as declared, as its keys want it, or as detected. */
  type: string;
  isDeclared: boolean;
  found: DetectedColumn;
  isIncluded: boolean;
  isSensitive: boolean;
  isPrimary: boolean;
  parents: string[];
  settings: ColumnSettings;
}

export interface TableView {
  name: string;
  rows: number;
  isIncluded: boolean;
  isOriginal: boolean;
  primaryKey: string[];
  found: DetectedTable;
  orderBy: string | null;
  columns: ColumnView[];
  settings: TableSettings;
}

export interface RelationView {
  id: string;
  table: string;
  columns: string[];
  parent: string;
  references: string[];
  orphans: "refuse" | "null" | "drop";
  owner: boolean | null;
  role: string;
  /** Path of keys that it follows from; empty for others. */
  implied: string;
  reason: string;
  confidence: number | null;
  /** Its place among the foreign keys of the document; null for one that is only detected. */
  number: number | null;
  /** Whether all its tables and columns take part. */
  isActive: boolean;
}

export interface View {
  tables: TableView[];
  byName: ReadonlyMap<string, TableView>;
  relations: RelationView[];
  suggestions: RelationView[];
  /** Tables that are made anew. */
  synthesized: TableView[];
  hasText: boolean;
}

/** Put a document over what was detected in its source without any document. */
export function combine(document: Document, detection: Detection): View {
  const proposals = new Map(
    detection.relations.map((one) => [identify(one.table, one.columns, one.references_table), one]),
  );
  const primary = new Map(
    detection.tables.map((found) => {
      const said = document.tables?.[found.name]?.primary_key;
      return [found.name, [...(said ?? found.primary_key)]];
    }),
  );
  const isIn = (table: string, columns: readonly string[]) => {
    const settings = document.tables?.[table];
    return settings?.include !== false && columns.every((one) => settings?.columns?.[one]?.include !== false);
  };

  const relations: RelationView[] = [];
  for (const found of detection.tables) {
    for (const [number, key] of keysOf(document, detection, found.name).entries()) {
      const references = key.references?.length ? key.references : (primary.get(key.table) ?? []);
      const proposal = proposals.get(identify(found.name, key.columns, key.table));
      const isDeclared = document.tables?.[found.name]?.foreign_keys != null;
      relations.push({
        id: `${identify(found.name, key.columns, key.table)}#${number}`,
        table: found.name,
        columns: key.columns,
        parent: key.table,
        references,
        orphans: key.orphans ?? "refuse",
        owner: key.owner ?? null,
        role: proposal?.role ?? "",
        implied: proposal?.implied ?? "",
        reason: proposal?.reason ?? "",
        confidence: proposal?.confidence ?? null,
        number: isDeclared ? number : null,
        isActive: isIn(found.name, key.columns) && isIn(key.table, references),
      });
    }
  }
  const used = new Set(relations.map((one) => identify(one.table, one.columns, one.parent)));
  const suggestions = detection.relations
    .filter((one) => !used.has(identify(one.table, one.columns, one.references_table)))
    .map((one) => ({
      id: identify(one.table, one.columns, one.references_table),
      table: one.table,
      columns: one.columns,
      parent: one.references_table,
      references: one.references_columns,
      orphans: "refuse" as const,
      owner: null,
      role: "",
      implied: "",
      reason: one.reason,
      confidence: one.confidence,
      number: null,
      isActive: isIn(one.table, one.columns) && isIn(one.references_table, one.references_columns),
    }))
    .filter((one) => one.isActive);

  const parents = new Map<string, string[]>();
  for (const relation of relations.filter((one) => one.isActive))
    for (const column of relation.columns) {
      const place = `${relation.table}\u0000${column}`;
      parents.set(place, [...(parents.get(place) ?? []), relation.parent]);
    }

  const tables = detection.tables.map((found) =>
    describe(found, document.tables?.[found.name], primary.get(found.name) ?? [], parents),
  );
  const synthesized = tables.filter((one) => one.isIncluded && !one.isOriginal);
  return {
    tables,
    byName: new Map(tables.map((one) => [one.name, one])),
    relations,
    suggestions,
    synthesized,
    hasText: synthesized.some((table) =>
      table.columns.some(
        (one) => one.isIncluded && one.settings.treatment !== "leave_out" && one.type === "text",
      ),
    ),
  };
}

interface Described {
  settings: TableSettings | undefined;
  keys: string;
  view: TableView;
}

/** Tables as they were last described: an edit changes one or few of many. */
const known = new WeakMap<DetectedTable, Described>();

function describe(
  found: DetectedTable,
  said: TableSettings | undefined,
  primaryKey: string[],
  parents: ReadonlyMap<string, string[]>,
): TableView {
  const targets = found.columns.map((one) => parents.get(`${found.name}\u0000${one.name}`) ?? []);
  const keys = JSON.stringify([primaryKey, targets]);
  const before = known.get(found);
  if (before && before.settings === said && before.keys === keys) return before.view;
  const settings = said ?? {};
  const view: TableView = {
    name: found.name,
    rows: found.rows,
    isIncluded: settings.include !== false,
    isOriginal: settings.original === true,
    primaryKey,
    found,
    orderBy: settings.order_by === undefined ? found.order_by : settings.order_by || null,
    settings,
    columns: found.columns.map((column, index) =>
      describeColumn(column, settings.columns?.[column.name] ?? {}, primaryKey, targets[index] ?? []),
    ),
  };
  known.set(found, { settings: said, keys, view });
  return view;
}

function describeColumn(
  found: DetectedColumn,
  settings: ColumnSettings,
  primaryKey: readonly string[],
  parents: string[],
): ColumnView {
  const isPrimary = primaryKey.includes(found.name);
  return {
    name: found.name,
    type: settings.type ?? (isPrimary || parents.length > 0 ? "identifier" : found.detected),
    isDeclared: settings.type != null && settings.type !== found.detected,
    found,
    isIncluded: settings.include !== false,
    isSensitive: settings.sensitive === true,
    isPrimary,
    parents,
    settings,
  };
}

/** Give the foreign keys of a table as the document says them, else as detected. */
export function keysOf(document: Document, detection: Detection, table: string): ForeignKey[] {
  const said = document.tables?.[table]?.foreign_keys;
  if (said != null) return said;
  return detection.relations
    .filter((one) => one.used && one.table === table)
    .map((one) => ({
      columns: one.columns,
      table: one.references_table,
      references: one.references_columns,
    }));
}

/** Give the tables that depend on no other synthesized one. */
export function findRoots(view: View): string[] {
  const made = new Set(view.synthesized.map((one) => one.name));
  const children = new Set(
    view.relations
      .filter((one) => one.isActive && made.has(one.parent) && one.parent !== one.table)
      .map((one) => one.table),
  );
  return view.synthesized.map((one) => one.name).filter((name) => !children.has(name));
}

function identify(table: string, columns: readonly string[], parent: string): string {
  return JSON.stringify([table, columns, parent]);
}
