import { describe, expect, test } from "vitest";
import { read, same, splitPath, write } from "../../src/pages/configurator/model/document";

describe("write", () => {
  test("puts a value and leaves what it does not touch as it is", () => {
    const document = { later: { unknown: [1] }, training: { max_epochs: 5 } };
    const made = write(document, ["training", "model_size"], "small");
    expect(made).toEqual({ later: { unknown: [1] }, training: { max_epochs: 5, model_size: "small" } });
    expect(made.later).toBe(document.later);
    expect(document.training).toEqual({ max_epochs: 5 });
  });

  test("takes away a field with the groups that are empty then", () => {
    const document = { name: "a", tables: { t: { columns: { c: { type: "text" } } } } };
    expect(write(document, ["tables", "t", "columns", "c", "type"], undefined)).toEqual({ name: "a" });
    expect(write(document, ["tables", "no", "include"], undefined)).toEqual(document);
  });

  test("changes and removes items of lists, and keeps a list that is empty: it says that there are none", () => {
    const document = { keys: [{ table: "a" }, { table: "b" }] };
    expect(write(document, ["keys", "1", "orphans"], "drop")).toEqual({
      keys: [{ table: "a" }, { table: "b", orphans: "drop" }],
    });
    expect(write(write(document, ["keys", "0"], undefined), ["keys", "0"], undefined)).toEqual({ keys: [] });
  });
});

test("names of every object are no fields of a document", () => {
  expect(read({}, ["constructor"])).toBeUndefined();
  expect(write({}, ["tables", "constructor", "include"], false)).toEqual({
    tables: { constructor: { include: false } },
  });
});

test("a path is split as the server writes it", () => {
  expect(splitPath('tables."a.b ""c""".columns.x.type')).toEqual([
    "tables",
    'a.b "c"',
    "columns",
    "x",
    "type",
  ]);
  expect(splitPath("name")).toEqual(["name"]);
  expect(splitPath("")).toEqual([""]);
});

test("documents are the same in whatever order their fields stand", () => {
  expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true);
  expect(same({ a: [] }, { a: {} })).toBe(false);
  expect(same({ a: undefined }, {})).toBe(false);
});
