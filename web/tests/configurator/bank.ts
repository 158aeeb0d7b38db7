import type { DetectedTable, Detection } from "../../src/api/sources";

function table(name: string, rows: number, key: string[], columns: [string, string][]): DetectedTable {
  return {
    name,
    file: `${name}.csv`,
    sheet: "",
    dialect: null,
    notes: {},
    rows,
    original: false,
    primary_key: key,
    proposed_key: key,
    key_confidence: 0.99,
    key_reason: "",
    order_by: null,
    order_reason: "",
    columns: columns.map(([column, type]) => ({
      name: column,
      type,
      storage: "string",
      missing: 0,
      detected: type,
      confidence: 1,
      reason: "",
      personal: "",
    })),
  };
}

function relation(child: string, column: string, parent: string, used = true) {
  return {
    table: child,
    columns: [column],
    references_table: parent,
    references_columns: [column],
    role: used ? "owner" : "",
    implied: "",
    used,
    confidence: 0.9,
    reason: "",
  };
}

/** A bank: districts, accounts in them, payments of these, and loans that might be of accounts. */
export const bank: Detection = {
  tables: [
    table(
      "district",
      12,
      ["district_id"],
      [
        ["district_id", "integer"],
        ["name", "categorical"],
      ],
    ),
    table(
      "account",
      900,
      ["account_id"],
      [
        ["account_id", "integer"],
        ["district_id", "integer"],
        ["opened", "date"],
      ],
    ),
    table(
      "payment",
      5000,
      [],
      [
        ["account_id", "integer"],
        ["amount", "numeric"],
        ["note", "text"],
      ],
    ),
    table(
      "loan",
      300,
      ["loan_id"],
      [
        ["loan_id", "integer"],
        ["account_id", "integer"],
      ],
    ),
  ],
  relations: [
    relation("account", "district_id", "district"),
    relation("payment", "account_id", "account"),
    relation("loan", "account_id", "account", false),
  ],
  rules: [],
  skipped: [],
  findings: [],
  document: {},
};
