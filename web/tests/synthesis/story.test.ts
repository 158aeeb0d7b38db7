import { describe, expect, it } from "vitest";
import { readMessage } from "../../src/api/stream";
import { begin, best, readMeasure, shareDone, tell, thin } from "../../src/pages/synthesis/timeline/story";

let number = 0;
function event(kind: string, rest: Record<string, unknown> = {}) {
  number += 1;
  return { number, at: number, body: { kind, at: number, ...rest } };
}
function trained(table: string, epoch: number, training: number, validation: number) {
  const values = { training_loss: training, validation_loss: validation };
  return event("step_progressed", {
    step: "training",
    share: 0.5,
    message: `${table}, epoch ${epoch}`,
    values,
  });
}
function step(story: ReturnType<typeof begin>, name: string) {
  return story.steps.find((one) => one.name === name);
}

describe("a story", () => {
  it("has seven steps for a run and two for a drawing", () => {
    expect(begin("run").steps).toHaveLength(7);
    expect(begin("generate").steps.map((one) => one.name)).toEqual(["synthesis", "storing"]);
  });

  it("follows a step from its start to its end", () => {
    const running = tell(begin("run"), [
      event("execution_queued", { seconds: 19 }),
      event("step_started", { step: "loading" }),
      event("step_message", { step: "loading", message: "8 tables" }),
      event("step_progressed", { step: "loading", share: 0.5, seconds_left: 2, message: "read" }),
    ]);
    expect(running.expectedSeconds).toBe(19);
    expect(step(running, "loading")).toMatchObject({ state: "running", share: 0.5, doing: "read" });
    expect(step(running, "loading")?.ends).toBe(number + 2);
    const ended = tell(running, [event("step_finished", { step: "loading", seconds: 3 })]);
    expect(step(ended, "loading")).toMatchObject({ state: "finished", seconds: 3, messages: ["8 tables"] });
  });

  it("stops a running step when the execution fails, pauses or loses its worker, and begins it anew", () => {
    for (const kind of ["execution_failed", "execution_cancelled", "execution_paused", "lease_lost"]) {
      const halted = tell(begin("run"), [event("step_started", { step: "training" }), event(kind)]);
      expect(step(halted, "training")?.state).toBe("stopped");
      const again = tell(halted, [event("step_started", { step: "training" })]);
      expect(step(again, "training")?.state).toBe("running");
    }
  });

  it("keeps a curve for each table, and draws again what was trained again", () => {
    const story = tell(begin("run"), [
      trained("account", 1, 5, 6),
      trained("account", 2, 4, 5),
      trained("disp (keys)", 1, 1, 2),
      event("lease_lost"),
      trained("account", 1, 4.5, 5.5),
    ]);
    expect(story.losses.get("account")?.map((point) => point.training)).toEqual([5, 4.5]);
    expect(story.losses.get("disp (keys)")).toHaveLength(1);
    expect(story.trained).toBe("account");
  });

  it("says what was taken over and where it begins", () => {
    const queued = event("execution_queued", {
      ancestor: "exe_1",
      asked: "synthesis",
      begins_at: "training",
      takes_over: ["loading", "preprocessing"],
      reason: "files",
    });
    const story = tell(begin("run"), [queued]);
    expect(step(story, "loading")?.state).toBe("inherited");
    expect(story.remarks[0]?.beginning).toEqual({ at: "training", asked: "synthesis", reason: "files" });
  });

  it("is all done when all steps are", () => {
    const all = begin("run").steps.map((one) => event("step_finished", { step: one.name, seconds: 1 }));
    expect(shareDone(begin("run"))).toBe(0);
    expect(shareDone(tell(begin("run"), all))).toBeCloseTo(1);
  });
});

describe("a curve", () => {
  const points = Array.from({ length: 1_001 }, (_one, place) => ({
    epoch: place,
    training: 1,
    validation: Math.abs(place - 400),
  }));
  it("is thinned to what can be seen, with its last point", () => {
    expect(thin(points).length).toBeLessThanOrEqual(302);
    expect(thin(points).at(-1)?.epoch).toBe(1_000);
  });
  it("is best where validation is least", () => {
    expect(best(points)?.epoch).toBe(400);
    expect(best([])).toBeNull();
  });
  it("belongs to the table that its message names", () => {
    expect(readMeasure("a, epoch 1, epoch 3")).toEqual({ table: "a, epoch 1", epoch: 3 });
  });
});

describe("a message of a stream", () => {
  it("is an event, the end or nothing", () => {
    expect(readMessage('id: 2\nevent: step_started\ndata: {"at": 1.5, "kind": "step_started"}')).toEqual({
      number: 2,
      at: 1.5,
      body: { at: 1.5, kind: "step_started" },
    });
    expect(readMessage('event: end\ndata: {"status": "failed"}')).toBe("end");
    expect(readMessage(": here")).toBeNull();
  });
});
