import { describe, expect, test } from "vitest";
import type { Document, JsonSchema } from "../../src/api/documents";
import {
  fieldAt,
  fieldsOf,
  fromText,
  holds,
  ruleOf,
  titleOf,
} from "../../src/pages/configurator/model/schema";
import written from "./schema.json";

const schema = written as unknown as JsonSchema;

function shown(group: string, document: Document, facts = {}): string[] {
  return fieldsOf(schema, [group])
    .filter((field) => holds(field.visibleWhen, schema, document, facts))
    .map((field) => field.name);
}

describe("the rules of visibility", () => {
  test("the learning rate is shown without the adaptive one only", () => {
    expect(shown("training", {})).not.toContain("learning_rate");
    expect(shown("training", { training: { adaptive_learning_rate: false } })).toContain("learning_rate");
  });

  test("batch fields are shown without auto-batching only", () => {
    const batches = ["batch_size", "gradient_accumulation", "generation_batch_size"];
    const all = shown("training", {});
    const without = shown("training", { training: { auto_batching: false } });
    for (const name of batches) {
      expect(all).not.toContain(name);
      expect(without).toContain(name);
    }
  });

  test("under differential privacy the physical batch stands in place of the accumulation", () => {
    const document = { training: { auto_batching: false }, differential_privacy: { enabled: true } };
    expect(shown("training", document)).not.toContain("gradient_accumulation");
    expect(shown("differential_privacy", document)).toContain("max_physical_batch_size");
    expect(shown("differential_privacy", {})).toEqual(["enabled"]);
  });

  test("privacy and text have their parts where the tables are such", () => {
    const isShown = (group: string, facts: object) =>
      holds(ruleOf(schema, [group]), schema, {}, { ...facts });
    expect(isShown("differential_privacy", { modelled_tables: 1 })).toBe(true);
    expect(isShown("differential_privacy", { modelled_tables: 2 })).toBe(false);
    expect(isShown("text_model", { has_text: true })).toBe(true);
    expect(isShown("text_model", { has_text: false })).toBe(false);
    expect(isShown("training", {})).toBe(true);
  });

  test("a rule about a column is about the column that is asked for", () => {
    const field = fieldAt(schema, ["tables", "*", "columns", "*", "rare_label"]);
    const document = { tables: { t: { columns: { c: { rare_replacement: "label" } } } } };
    expect(holds(field?.visibleWhen, schema, document, {}, ["t", "c"])).toBe(true);
    expect(holds(field?.visibleWhen, schema, document, {}, ["t", "d"])).toBe(false);
  });
});

test("every field of a column can be shown by a form", () => {
  const kinds = fieldsOf(schema, ["tables", "*", "columns", "*"]).map((field) => field.kind);
  expect(kinds).not.toContain("other");
  expect(kinds.length).toBeGreaterThan(20);
});

test("titles stand at the part itself", () => {
  expect(titleOf(schema, ["training"]).title).toBe("Tabular model");
});

test("texts of the server become values of the field", () => {
  expect(fromText(schema, ["training", "early_stop_delta"], "0.01")).toBe(0.01);
  expect(fromText(schema, ["training", "auto_batching"], "true")).toBe(true);
  expect(fromText(schema, ["tables", "a", "columns", "b", "type"], "identifier")).toBe("identifier");
  expect(fromText(schema, ["tables", "a", "columns", "b", "minimum"], "5")).toBe("5");
  expect(fromText(schema, ["generation", "rows", "account"], "77")).toBe(77);
});
