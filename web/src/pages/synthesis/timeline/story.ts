import type { StepName } from "../../../api/executions";
import type { Event } from "../../../api/stream";

/** One step as its events left it. */
export interface Step {
  name: StepName;
  state: "waiting" | "running" | "finished" | "stopped" | "inherited";
  started: number | null;
  seconds: number | null;
  share: number;
  /** What it is doing. */
  doing: string;
  /** When it will end, as it estimates itself. */
  ends: number | null;
  messages: string[];
}

/** Losses at one validation. */
export interface Point {
  epoch: number;
  training: number | null;
  validation: number | null;
}

/** What happened beside the steps. */
export interface Remark {
  number: number;
  at: number;
  kind: RemarkKind;
  /** For an execution that does another one again: the step it begins at, the one that was asked for, and why. */
  beginning?: { at: StepName; asked: StepName; reason: string };
}

const REMARKS = [
  "again",
  "execution_paused",
  "execution_resumed",
  "execution_released",
  "lease_lost",
  "cancel_requested",
] as const;
export type RemarkKind = (typeof REMARKS)[number];

/** An execution as its events tell it. */
export interface Story {
  steps: Step[];
  losses: ReadonlyMap<string, Point[]>;
  /** The table that was trained last. */
  trained: string | null;
  remarks: Remark[];
  /** What was estimated before the start. */
  expectedSeconds: number | null;
}

export const STEPS: StepName[] = [
  "loading",
  "preprocessing",
  "building",
  "training",
  "synthesis",
  "report",
  "storing",
];
const DRAWING: StepName[] = ["synthesis", "storing"];
const MOST_POINTS = 2_000;

/** The story before anything happened: seven steps wait; a drawing has two. */
export function begin(kind: "run" | "generate"): Story {
  const names = kind === "run" ? STEPS : DRAWING;
  const step = { state: "waiting", started: null, seconds: null, share: 0, doing: "", ends: null } as const;
  return {
    steps: names.map((name) => ({ name, ...step, messages: [] })),
    losses: new Map(),
    trained: null,
    remarks: [],
    expectedSeconds: null,
  };
}

/** Tell a story on. */
export function tell(story: Story, events: Event[]): Story {
  return events.reduce(tellOne, story);
}

function tellOne(story: Story, event: Event): Story {
  const body = event.body as unknown as Body;
  switch (body.kind) {
    case "execution_queued":
      return begun(story, event, body);
    case "step_started":
      return change(story, body, (step) => ({
        ...step,
        ...{ state: "running", started: body.at, seconds: null, share: 0, doing: "", ends: null },
        messages: step.state === "inherited" || step.state === "waiting" ? step.messages : [],
      }));
    case "step_progressed":
      return measured(
        change(story, body, (step) => ({
          ...step,
          share: body.share ?? step.share,
          doing: body.message ?? "",
          ends: typeof body.seconds_left === "number" ? body.at + body.seconds_left : null,
        })),
        body,
      );
    case "step_message":
      return change(story, body, (step) => ({ ...step, messages: [...step.messages, body.message ?? ""] }));
    case "step_finished":
      return change(story, body, (step) => ({
        ...step,
        ...{ state: "finished", seconds: body.seconds ?? null, share: 1, doing: "", ends: null },
      }));
    case "execution_failed":
    case "execution_cancelled":
      return halted(story);
    case "execution_paused":
    case "execution_released":
    case "lease_lost":
      return halted(remarked(story, event, body.kind));
    case "execution_resumed":
    case "cancel_requested":
      return remarked(story, event, body.kind);
    default:
      return story;
  }
}

interface Body {
  at: number;
  kind: string;
  step?: StepName;
  share?: number;
  seconds_left?: number | null;
  message?: string;
  values?: Record<string, number>;
  seconds?: number;
  ancestor?: string;
  begins_at?: StepName;
  asked?: StepName;
  reason?: string;
  takes_over?: StepName[];
}

function begun(story: Story, event: Event, body: Body): Story {
  const steps = story.steps.map((step) =>
    body.takes_over?.includes(step.name) ? { ...step, state: "inherited" as const } : step,
  );
  const told = { ...story, steps, expectedSeconds: body.seconds ?? null };
  if (!body.begins_at || !body.asked) return told;
  const beginning = { at: body.begins_at, asked: body.asked, reason: body.reason ?? "asked" };
  const remark = { number: event.number, at: body.at, kind: "again" as const, beginning };
  return { ...told, remarks: [...told.remarks, remark] };
}

function change(story: Story, body: Body, how: (step: Step) => Step): Story {
  return { ...story, steps: story.steps.map((step) => (step.name === body.step ? how(step) : step)) };
}

function halted(story: Story): Story {
  const steps = story.steps.map((step) =>
    step.state === "running" ? { ...step, state: "stopped" as const, ends: null } : step,
  );
  return { ...story, steps };
}

function remarked(story: Story, event: Event, kind: RemarkKind): Story {
  return { ...story, remarks: [...story.remarks, { number: event.number, at: event.at, kind }] };
}

/** Put losses to the curve of their table; what a lost worker had trained beyond its checkpoint comes again. */
function measured(story: Story, body: Body): Story {
  const { training_loss: training = null, validation_loss: validation = null } = body.values ?? {};
  if (training === null && validation === null) return story;
  const { table, epoch } = readMeasure(body.message ?? "");
  const before = (story.losses.get(table) ?? []).filter((point) => point.epoch <= epoch);
  const curve = [...before, { epoch, training, validation }].slice(-MOST_POINTS);
  return { ...story, losses: new Map(story.losses).set(table, curve), trained: table };
}

/** Read what a measure is of.
 *
 * @example readMeasure("disp (keys), epoch 3") // { table: "disp (keys)", epoch: 3 }
 */
export function readMeasure(message: string): { table: string; epoch: number } {
  const found = /^(.*), epoch (\d+)$/s.exec(message);
  return found ? { table: found[1] ?? "", epoch: Number(found[2]) } : { table: message, epoch: 0 };
}

/** Keep every n-th point and the last one, so that a long training stays quick to draw. */
export function thin(points: Point[], most = 300): Point[] {
  const stride = Math.ceil(points.length / most);
  return points.filter((_point, place) => place % stride === 0 || place === points.length - 1);
}

/** The point with the smallest validation loss. */
export function best(points: Point[]): Point | null {
  const judged = points.filter((point) => point.validation !== null);
  return judged.reduce<Point | null>(
    (least, point) => (least && (least.validation ?? 0) <= (point.validation ?? 0) ? least : point),
    null,
  );
}

/** The share of all steps that is done: each counts as what it usually takes. */
export function shareDone(story: Story): number {
  const weights: Record<StepName, number> = {
    ...{ loading: 3, preprocessing: 5, building: 1, training: 60, synthesis: 12, report: 14, storing: 5 },
  };
  const total = story.steps.reduce((sum, step) => sum + weights[step.name], 0);
  const done = story.steps.reduce((sum, step) => {
    const share = step.state === "finished" || step.state === "inherited" ? 1 : step.share;
    return sum + weights[step.name] * share;
  }, 0);
  return done / total;
}

/** The first step that is not done; the first of all where everything is. */
export function firstUndone(story: Story): StepName {
  const undone = story.steps.find((step) => step.state !== "finished" && step.state !== "inherited");
  return undone?.name ?? (story.steps[0] as Step).name;
}
