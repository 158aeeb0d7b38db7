import { describe, expect, test } from "vitest";
import type { Document } from "../../src/api/documents";
import {
  addForeignKey,
  findCascade,
  includeColumns,
  includeTables,
  removeForeignKey,
  setOriginal,
  setType,
} from "../../src/pages/configurator/model/edits";
import { combine, findRoots } from "../../src/pages/configurator/model/view";
import { bank } from "./bank";

const view = (document: Document) => combine(document, bank);
const links = (document: Document) =>
  view(document)
    .relations.filter((one) => one.isActive)
    .map((one) => `${one.table}>${one.parent}`);

describe("what is shown", () => {
  test("is what was detected where the document says nothing", () => {
    const found = view({});
    expect(links({})).toEqual(["account>district", "payment>account"]);
    expect(found.suggestions.map((one) => one.table)).toEqual(["loan"]);
    expect(findRoots(found)).toEqual(["district", "loan"]);
    expect(found.byName.get("account")?.columns.map((one) => one.type)).toEqual([
      "identifier",
      "identifier",
      "date",
    ]);
    expect(found.hasText).toBe(true);
  });

  test("is what the document says where it says something", () => {
    const found = view({ tables: { account: { primary_key: [], foreign_keys: [] } } });
    expect(found.byName.get("account")?.columns[0]?.type).toBe("integer");
    expect(found.suggestions.map((one) => one.table)).toEqual(["account", "loan"]);
  });

  test("roots are counted without original tables", () => {
    expect(findRoots(view(setOriginal(["district"], true)({})))).toEqual(["account", "loan"]);
    expect(view(setOriginal(["district"], true)({})).synthesized.map((one) => one.name)).not.toContain(
      "district",
    );
  });

  test("there is no text where its column is left out", () => {
    const columns = { note: { treatment: "leave_out" } };
    expect(view({ tables: { payment: { columns } } }).hasText).toBe(false);
  });
});

describe("leaving out", () => {
  test("a table takes its relations out of play, and gives them back", () => {
    const without = includeTables(["account"], false)({});
    expect(links(without)).toEqual([]);
    expect(includeTables(["account"], true)(without)).toEqual({});
  });

  test("a column takes its key, the relations to it and the rules that use it", () => {
    const document: Document = {
      tables: {
        account: { rules: [{ kind: "order", columns: ["account_id", "opened"] }], order_by: "account_id" },
      },
    };
    const cascade = findCascade(document, bank, "account", ["account_id"]);
    expect([cascade.hasKey, cascade.relations.length, cascade.rules.length]).toEqual([true, 1, 1]);
    const made = includeColumns(bank, "account", ["account_id"], false)(document);
    expect(made.tables).toEqual({
      account: { rules: [], order_by: "", primary_key: [], columns: { account_id: { include: false } } },
      payment: { foreign_keys: [] },
    });
  });

  test("a column that nothing uses takes nothing", () => {
    const made = includeColumns(bank, "account", ["opened"], false)({});
    expect(made).toEqual({ tables: { account: { columns: { opened: { include: false } } } } });
  });
});

describe("foreign keys", () => {
  test("an edit writes out those that were only detected", () => {
    const made = addForeignKey(bank, "account", { columns: ["opened"], table: "loan" })({});
    expect(made.tables?.account?.foreign_keys?.map((one) => one.table)).toEqual(["district", "loan"]);
  });

  test("the last one that is removed leaves a list that says so", () => {
    const made = removeForeignKey(bank, "payment", 0)({});
    expect(made.tables?.payment?.foreign_keys).toEqual([]);
    expect(links(made)).toEqual(["account>district"]);
  });
});

test("another type takes the options of the old one, and the rules that use the column", () => {
  const document: Document = {
    tables: {
      payment: {
        rules: [{ kind: "order", columns: ["amount", "account_id"] }],
        columns: { amount: { type: "numeric", decimals: 2, sensitive: true, never: ["0"] } },
      },
    },
  };
  expect(setType("payment", "amount", "categorical")(document)).toEqual({
    tables: {
      payment: { rules: [], columns: { amount: { type: "categorical", sensitive: true, never: ["0"] } } },
    },
  });
  expect(setType("payment", "amount", "numeric")(document)).toBe(document);
});

test("tables that an edit does not touch stay the same objects, so that nothing is drawn again for them", () => {
  const before = view({});
  const after = view(setOriginal(["district"], true)({}));
  expect(after.byName.get("payment")).toBe(before.byName.get("payment"));
  expect(after.byName.get("district")).not.toBe(before.byName.get("district"));
  const unkeyed = view({ tables: { account: { primary_key: [] } } });
  expect(unkeyed.byName.get("account")).not.toBe(before.byName.get("account"));
});
