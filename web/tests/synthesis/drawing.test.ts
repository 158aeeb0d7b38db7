import { describe, expect, test } from "vitest";
import {
  type Drawing,
  listColumns,
  listRoots,
  NOTHING_ASKED,
  type Wish,
  writeDrawing,
} from "../../src/pages/synthesis/panel/start/drawing";
import { listAsked } from "../../src/pages/synthesis/timeline/asked";

const MODEL = {
  id: "m",
  name: "model",
  execution_id: "e",
  synthesis_id: "s",
  created_at: 0,
  tables: [
    {
      name: "shops",
      original: true,
      rows: null,
      columns: [{ name: "town", type: "categorical", in_key: false }],
    },
    {
      name: "people",
      original: false,
      rows: 40,
      columns: [
        { name: "id", type: "identifier", in_key: true },
        { name: "age", type: "integer", in_key: false },
      ],
    },
    {
      name: "orders",
      original: false,
      rows: null,
      columns: [
        { name: "person", type: "identifier", in_key: true },
        { name: "price", type: "decimal", in_key: false },
      ],
    },
  ],
};

const wish = (part: Partial<Wish>): Wish => ({
  id: 1,
  kind: "fixed",
  column: "people.age",
  value: "40",
  share: "",
  ...part,
});
const asked = (part: Partial<Drawing>) => writeDrawing({ ...NOTHING_ASKED, ...part });

describe("what is asked of a drawing", () => {
  test("nothing is asked by itself", () => {
    expect(asked({})).toEqual({
      rows: {},
      conditions: {
        fixed: [],
        shares: [],
        never: [],
        no_missing: [],
        empty_is_missing: [],
        temperature: null,
      },
      given: null,
      fill: null,
    });
  });

  test("each kind of condition is written where the server reads it", () => {
    const wishes = [
      wish({}),
      wish({ kind: "share", value: "", share: 25 }),
      wish({ kind: "never", value: "0" }),
      wish({ kind: "noMissing", value: "not said" }),
    ];
    expect(asked({ wishes, variety: 0.8 }).conditions).toEqual({
      fixed: [["people.age", "40"]],
      shares: [["people.age", "", 0.25]],
      never: [["people.age", "0"]],
      no_missing: ["people.age"],
      empty_is_missing: [],
      temperature: 0.8,
    });
  });

  test("rows are filled only where some are known", () => {
    const known = { sourceId: "", method: "best" as const, allowMissing: true };
    expect(asked({ known })).toMatchObject({ given: null, fill: null });
    expect(asked({ known: { ...known, sourceId: "s" } })).toMatchObject({
      given: { source_id: "s" },
      fill: { method: "best", allow_missing: true },
    });
  });
});

describe("what can be asked of a model", () => {
  test("keys and original data stay, and only root tables have values in all rows", () => {
    const names = (kind: Wish["kind"]) =>
      listColumns(MODEL, kind).flatMap((one) => one.items.map((item) => item.value));
    expect(names("fixed")).toEqual(["people.age"]);
    expect(names("share")).toEqual(["people.age", "orders.price"]);
  });

  test("rows are counted of root tables", () => {
    expect(listRoots(MODEL)).toEqual({ people: 40 });
  });
});

test("what was asked is listed one by one", () => {
  expect(listAsked({})).toEqual([]);
  expect(listAsked({ rows: { people: 4 }, conditions: null, fill: null })).toEqual([]);
  const conditions = {
    given: true,
    fixed: { people: { age: "40", town: null } },
    empty_is_missing: {},
    balance: [["orders", "price", "0", 0.25]],
    never: { people: { age: ["1", "2"] } },
    no_missing: { orders: ["price"] },
    temperature: 0.8,
  };
  expect(listAsked({ conditions, fill: null })).toEqual([
    { kind: "known" },
    { kind: "fixed", column: "people.age", value: "40" },
    { kind: "fixed", column: "people.town", value: "" },
    { kind: "share", column: "orders.price", value: "0", share: 0.25 },
    { kind: "never", column: "people.age", value: "1" },
    { kind: "never", column: "people.age", value: "2" },
    { kind: "noMissing", column: "orders.price" },
    { kind: "variety", value: 0.8 },
  ]);
  expect(listAsked({ conditions, fill: { method: "best" } })[0]).toEqual({ kind: "filled" });
});
