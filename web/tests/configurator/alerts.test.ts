import { describe, expect, test } from "vitest";
import type { Document } from "../../src/api/documents";
import { type Finding, findRemedies, findSpot } from "../../src/pages/configurator/model/alerts";
import { combine } from "../../src/pages/configurator/model/view";
import { bank } from "./bank";

function finding(code: string, where: string, more: Partial<Finding> = {}): Finding {
  return { code, where, severity: "error", message: "", remedy: "", step: "data", count: null, ...more };
}

function repair(document: Document, found: Finding, number = 0): Document | undefined {
  const situation = { document, detection: bank, view: combine(document, bank) };
  return findRemedies(found, situation)[number]?.edit(document);
}

describe("the place of a finding", () => {
  test.each([
    ["tables.a.columns.b.minimum", "a", "b", "minimum"],
    ["tables.a.columns.b", "a", "b", null],
    ["tables.a.foreign_keys.0", "a", null, "foreign_keys"],
    ["tables.a", "a", null, null],
    ["tables", null, null, null],
    ["training.batch_size", null, null, "training.batch_size"],
  ])("%s", (where, table, column, field) => {
    expect(findSpot(finding("x", where))).toEqual({ step: "data", table, column, field });
  });
});

describe("what repairs", () => {
  test("tables that are too small: lookups are marked, and only these", () => {
    expect(repair({}, finding("data.too_few_rows", "tables"))).toEqual({
      tables: { district: { original: true } },
    });
    expect(repair({}, finding("data.too_few_rows", "tables.payment"))).toBeUndefined();
  });

  test("orphans: made missing, left out, or the key removed", () => {
    const keys = [{ columns: ["account_id"], table: "account" }];
    const document: Document = { tables: { payment: { foreign_keys: keys } } };
    const found = finding("foreign_keys.orphans", "tables.payment.foreign_keys.0");
    const made = [0, 1, 2].map((number) => repair(document, found, number)?.tables?.payment?.foreign_keys);
    expect(made).toEqual([[{ ...keys[0], orphans: "null" }], [{ ...keys[0], orphans: "drop" }], []]);
  });

  test("bounds in the wrong order are exchanged", () => {
    const document: Document = {
      tables: { payment: { columns: { amount: { minimum: "9", maximum: "1" } } } },
    };
    const found = finding("treatment.bounds_empty", "tables.payment.columns.amount.minimum");
    expect(repair(document, found)?.tables?.payment?.columns?.amount).toEqual({ minimum: "1", maximum: "9" });
  });

  test("a lone bound above another option goes back to its default", () => {
    const document: Document = {
      tables: { payment: { columns: { amount: { maximum: "-1", non_negative: true } } } },
    };
    const found = finding("treatment.bounds_empty", "tables.payment.columns.amount.maximum");
    expect(repair(document, found)?.tables?.payment?.columns?.amount).toEqual({ non_negative: true });
  });

  test("the number that the server proposes is written", () => {
    const found = finding("settings.holdout_too_small", "evaluation.holdout_share", {
      remedy: "Write evaluation.holdout_share: 0.17.",
    });
    expect(repair({}, found)).toEqual({ evaluation: { holdout_share: 0.17 } });
  });

  test("several roots are allowed, or small lookups marked", () => {
    expect(repair({}, finding("roots.many", "tables"))).toEqual({ roots: "many" });
    expect(repair({}, finding("roots.many", "tables"), 1)).toEqual({
      tables: { district: { original: true } },
    });
  });

  test("nothing is offered for what nobody here can repair", () => {
    expect(repair({}, finding("generation.key_room", "tables.loan.primary_key"))).toBeUndefined();
  });
});
