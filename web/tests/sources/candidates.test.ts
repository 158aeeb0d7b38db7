import { describe, expect, it } from "vitest";
import {
  judge,
  judgeName,
  judgeStart,
  nameFiles,
  proposeName,
} from "../../src/pages/sources/upload/candidates";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function fileAt(path: string, content: string): File {
  const file = new File([content], path.split("/").at(-1) ?? "");
  Object.defineProperty(file, "webkitRelativePath", { value: path.includes("/") ? path : "" });
  return file;
}

describe("a name", () => {
  it.each([
    ["orders.csv", 10, null],
    ["ORDERS.CSV", 10, null],
    ["book.xlsx", 10, null],
    [".DS_Store", 10, "hidden"],
    ["a/b.csv", 10, "name"],
    [" a.csv", 10, "name"],
    [`${"é".repeat(99)}.csv`, 10, "name"],
    ["a.csv.gz", 10, "compressed"],
    ["readme.md", 10, "kind"],
    ["csv", 10, "kind"],
    ["a.csv", 0, "empty"],
  ])("%s is judged", (name, size, verdict) => {
    expect(judgeName(name, size)).toBe(verdict);
  });
});

describe("first bytes", () => {
  it.each([
    ["a.csv", "id,name\n", null],
    ["a.csv", "PK\x03\x04", "content"],
    ["a.csv", "\x1f\x8b\x08", "content"],
    ["a.parquet", "PAR1", null],
    ["a.parquet", "id,name", "content"],
    ["a.xlsx", "PK\x03\x04", null],
    ["a.xlsx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted"],
    ["a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", null],
    ["a.tsv", "%PDF-1.7", "content"],
  ])("%s with %j is judged", (name, start, verdict) => {
    expect(judgeStart(name, bytes(start))).toBe(verdict);
  });
});

it("puts the folder's name before names that stand twice", () => {
  expect(nameFiles(["bank/2024/sale.csv", "bank/2025/sale.csv", "bank/shop.csv"])).toEqual([
    "2024_sale.csv",
    "2025_sale.csv",
    "shop.csv",
  ]);
});

it("proposes the folder's name, or that of the only file", () => {
  expect(proposeName([fileAt("bank/sale.csv", "a"), fileAt("bank/shop.csv", "a")])).toBe("bank");
  expect(proposeName([fileAt("sale.csv", "a")])).toBe("sale");
  expect(proposeName([fileAt("sale.csv", "a"), fileAt("shop.csv", "a")])).toBe("");
});

it("judges files by what is in them, in the order of names; a later one takes the place of its namesake", async () => {
  const first = await judge([fileAt("b.csv", "x"), fileAt("a.parquet", "id,name")], []);
  expect(first.map((one) => [one.name, one.refusal])).toEqual([
    ["a.parquet", "content"],
    ["b.csv", null],
  ]);
  const again = fileAt("a.parquet", "PAR1....");
  const second = await judge([again], first);
  expect(second.map((one) => [one.name, one.refusal])).toEqual([
    ["a.parquet", null],
    ["b.csv", null],
  ]);
  expect(second[0]?.file).toBe(again);
});
