import { expect, it } from "vitest";
import { countTypes, summarize } from "../../src/pages/syntheses/summary";

const DOCUMENT = {
  tables: {
    shop: { columns: { size: { type: "categorical" }, area: { type: "numeric" }, note: { include: false } } },
    region: { original: true, columns: { name: { type: "categorical" }, code: {} } },
    log: { include: false, columns: { at: { type: "datetime" } } },
  },
};

it("counts what takes part, and nothing else", () => {
  expect(summarize(DOCUMENT)).toMatchObject({ tables: 2, originals: 1, columns: 4 });
  expect(countTypes(DOCUMENT)).toEqual([
    ["categorical", 2],
    ["numeric", 1],
    ["unknown", 1],
  ]);
});

it("says a learning rate and a batch size only where they are fixed", () => {
  const training = { learning_rate: 0.01, batch_size: 64 };
  expect(summarize({ training })).toMatchObject({ learningRate: null, batchSize: null });
  const fixed = { ...training, adaptive_learning_rate: false, auto_batching: false };
  expect(summarize({ training: fixed })).toMatchObject({ learningRate: 0.01, batchSize: 64 });
});

it("stands an empty document", () => {
  expect(summarize({})).toMatchObject({ tables: 0, columns: 0, modelSize: null, rows: [] });
});
