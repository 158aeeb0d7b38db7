import { expect, test } from "vitest";
import { set } from "../../src/pages/configurator/model/edits";
import { begin, isChanged, step } from "../../src/pages/configurator/model/history";

const rename = (name: string) => ({ kind: "edit" as const, edit: set(["name"], name) });

test("what was done can be undone and done again, until something else is done", () => {
  let history = begin({ name: "a" }, 1);
  for (const name of ["b", "c"]) history = step(history, rename(name));
  history = step(history, { kind: "undo" });
  expect(history.present.name).toBe("b");
  history = step(history, { kind: "redo" });
  expect(history.present.name).toBe("c");
  history = step(step(history, { kind: "undo" }), rename("d"));
  expect(step(history, { kind: "redo" })).toBe(history);
});

test("an edit that changes nothing leaves nothing to undo", () => {
  const history = begin({ name: "a" }, 1);
  expect(step(history, rename("a"))).toBe(history);
});

test("changed is what differs from the saved version, also after undo", () => {
  let history = step(begin({ name: "a" }, 1), rename("b"));
  expect(isChanged(history)).toBe(true);
  history = step(history, { kind: "saved", document: { name: "b" }, version: 2 });
  expect([isChanged(history), history.version]).toEqual([false, 2]);
  expect(isChanged(step(history, { kind: "undo" }))).toBe(true);
});
