/** What was asked of a drawing, as the server keeps it. */
interface Request {
  conditions?: {
    given: boolean;
    fixed: Record<string, Record<string, string | null>>;
    balance: [table: string, column: string, value: string | null, share: number][];
    never: Record<string, Record<string, string[]>>;
    no_missing: Record<string, string[]>;
    temperature: number | null;
  } | null;
  fill?: object | null;
}

export type Said =
  | { kind: "fixed" | "never"; column: string; value: string }
  | { kind: "share"; column: string; value: string; share: number }
  | { kind: "noMissing"; column: string }
  | { kind: "variety"; value: number }
  | { kind: "known" | "filled" };

/** Give the conditions of a drawing one by one; none for a run. An empty value is the missing one. */
export function listAsked(request: Record<string, unknown>): Said[] {
  const { conditions, fill } = request as Request;
  if (!conditions) return [];
  const said: Said[] = conditions.given ? [{ kind: fill ? "filled" : "known" }] : [];
  for (const [table, values] of Object.entries(conditions.fixed))
    for (const [column, value] of Object.entries(values))
      said.push({ kind: "fixed", column: `${table}.${column}`, value: value ?? "" });
  for (const [table, column, value, share] of conditions.balance)
    said.push({ kind: "share", column: `${table}.${column}`, value: value ?? "", share });
  for (const [table, columns] of Object.entries(conditions.never))
    for (const [column, values] of Object.entries(columns))
      for (const value of values) said.push({ kind: "never", column: `${table}.${column}`, value });
  for (const [table, columns] of Object.entries(conditions.no_missing))
    for (const column of columns) said.push({ kind: "noMissing", column: `${table}.${column}` });
  if (conditions.temperature !== null) said.push({ kind: "variety", value: conditions.temperature });
  return said;
}
