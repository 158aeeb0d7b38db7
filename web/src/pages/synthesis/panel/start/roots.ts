interface Table {
  include?: boolean;
  original?: boolean;
  foreign_keys?: { table: string; owner?: boolean | null }[] | null;
}

/** The tables whose rows can be asked for, where nobody has looked into the source: those under no other. */
export function rootTables(document: Record<string, unknown>): string[] {
  const tables = Object.entries((document.tables ?? {}) as Record<string, Table>).filter(
    ([, table]) => table.include !== false && !table.original,
  );
  const drawn = new Set(tables.map(([name]) => name));
  const isUnder = ([, table]: [string, Table]) =>
    (table.foreign_keys ?? []).some((key) => drawn.has(key.table) && key.owner !== false);
  return tables.filter((one) => !isUnder(one)).map(([name]) => name);
}
