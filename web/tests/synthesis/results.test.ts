import { describe, expect, it } from "vitest";
import type { Distribution } from "../../src/api/evaluation";
import { remedyOf } from "../../src/pages/synthesis/Failure";
import { rootTables } from "../../src/pages/synthesis/panel/start/roots";
import { cellsOf } from "../../src/pages/synthesis/results/cells";
import { gridColumns } from "../../src/pages/synthesis/results/columns";
import { may } from "../../src/pages/synthesis/rights";
import { judge } from "../../src/parts/verdict";
import { makeFormat } from "../../src/words/format";

const bank = {
  tables: {
    district: { original: true, primary_key: ["id"], columns: { head: { type: "text", sensitive: true } } },
    account: {
      primary_key: ["id"],
      foreign_keys: [{ columns: ["district"], table: "district" }],
      columns: { owner: { type: "categorical", sensitive: true }, opened: { type: "date" } },
    },
    client: { primary_key: ["id"], foreign_keys: [{ columns: ["boss"], table: "account", owner: false }] },
    loan: { primary_key: ["id"], foreign_keys: [{ columns: ["account"], table: "account" }] },
    gone: { include: false },
  },
};

describe("the tables whose rows can be asked for", () => {
  it("are those that stand under no other drawn table", () => {
    expect(rootTables(bank)).toEqual(["account", "client"]);
    expect(rootTables({})).toEqual([]);
  });
});

describe("columns of the grid", () => {
  it("have type, key and shield by the document", () => {
    expect(gridColumns(bank, null, "account", ["id", "district", "owner", "opened"])).toEqual([
      { name: "id", isKey: true, type: undefined, shield: null },
      { name: "district", isKey: false, type: "reference", shield: null },
      { name: "owner", isKey: false, type: "categorical", shield: "protected" },
      { name: "opened", isKey: false, type: "date", shield: null },
    ]);
  });
  it("are exposed where a sensitive column is copied", () => {
    expect(gridColumns(bank, null, "district", ["head"])[0]?.shield).toBe("excluded");
  });
});

describe("cells of a distribution", () => {
  const shares = { original: [0.5, 0.5], synthetic: [0.4, 0.6], holdout: null };
  const cells = (rest: Partial<Distribution>) =>
    cellsOf({ labels: [], edges: [], scale: "number", ...shares, ...rest }, "en").map((one) => one.label);
  it("are named by labels, numbers or days", () => {
    expect(cells({ labels: ["A", "B"] })).toEqual(["A", "B"]);
    expect(cells({ edges: [0, 1_000, 2_000] })).toEqual(["0 – 1,000", "1,000 – 2,000"]);
    expect(cells({ edges: [0, 0.25, 0.5] })).toEqual(["0 – 0.25", "0.25 – 0.5"]);
    expect(cells({ edges: [0, 31, 59], scale: "date" })[0]).toBe("Jan 1, 1970 – Feb 1, 1970");
  });
});

describe("what helps against an error", () => {
  it("follows from its code", () => {
    expect(remedyOf("quota.seconds")).toBe("quota");
    expect(remedyOf("source.gone")).toBe("sources");
    expect(remedyOf("execution.configuration")).toBe("configure");
    expect(remedyOf("foreign_keys.orphans")).toBe("configure");
    expect(remedyOf("execution.lost_too_often")).toBe("retry");
    expect(remedyOf("machine.memory")).toBe("retry");
  });
});

describe("words for numbers", () => {
  it("judge a score as it is shown", () => {
    expect([8.99, 8.7, 5, 4.9].map(judge)).toEqual(["excellent", "good", "fair", "poor"]);
  });
  it("write durations and sizes", () => {
    const format = makeFormat("en");
    expect([0, 3.2, 28.4, 75, 3_900, 10_800].map(format.duration)).toEqual([
      "0 sec",
      "3.2 sec",
      "28 sec",
      "1 min 15 sec",
      "1 hr 5 min",
      "3 hr",
    ]);
    expect([0.2, 1, 80, 600, 9_000].map(format.about)).toEqual([
      "1 second",
      "1 second",
      "80 seconds",
      "10 minutes",
      "2.5 hours",
    ]);
    expect(format.bytes(91_000)).toBe("91 kB");
  });
  it("order rights", () => {
    expect(may({ level: "run" }, "view")).toBe(true);
    expect(may({ level: "run" }, "edit")).toBe(false);
  });
});
