import { api, readError, type Schemas, take } from "./client";

export type Event = Schemas["EventView"];

/** What hears of the events of an execution. */
export interface Listener {
  /** Events that are new, in order, each once. */
  onEvents(events: Event[]): void;
  /** Whether they come as they happen, are asked for again and again, or all of them are there. */
  onState(state: "live" | "asking" | "ended"): void;
  /** Nothing more comes: the execution is gone, or may not be seen any more. */
  onError(error: unknown): void;
}

const SILENT_MS = 40_000; // the server says something every 15 seconds
const AGAIN_MS = 3_000;
const PAGE = 1_000;

/** Follow the events of an execution from the first on, however often the connection breaks.
 *
 * They come as server-sent events; where a stream breaks, or says nothing, they are asked for once and the
 * stream is tried again: where streams do not pass, that is polling.
 */
export function follow(executionId: string, listener: Listener): () => void {
  const stop = new AbortController();
  void run(executionId, listener, stop.signal);
  return () => stop.abort();
}

async function run(executionId: string, listener: Listener, stop: AbortSignal): Promise<void> {
  let last = 0;
  const hear = (events: Event[]) => {
    const fresh = events.filter((one) => one.number > last);
    if (fresh.length === 0) return;
    last = (fresh.at(-1) as Event).number;
    listener.onEvents(fresh);
  };
  while (!stop.aborted) {
    try {
      const isStreamed = await stream(executionId, last, hear, () => listener.onState("live"), stop);
      if (stop.aborted) return;
      if (isStreamed || (await ask(executionId, last, hear, stop))) return listener.onState("ended");
      listener.onState("asking");
    } catch (error) {
      if (stop.aborted) return;
      listener.onError(error);
      if (!isPassing(error)) return;
    }
    await pause(AGAIN_MS, stop);
  }
}

/** Read a stream until it breaks; tell whether the last event came. */
async function stream(
  executionId: string,
  after: number,
  hear: (events: Event[]) => void,
  onOpen: () => void,
  stop: AbortSignal,
): Promise<boolean> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  try {
    const response = await fetch(`/api/v1/executions/${executionId}/stream`, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) },
      signal: AbortSignal.any([stop, silent.signal]),
    });
    if (!response.ok) throw await readError(response);
    if (!response.body) return false;
    onOpen();
    let rest = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return false;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENT_MS);
      const parts = (rest + value).split("\n\n");
      rest = parts.pop() ?? "";
      const found = parts.map(readMessage);
      hear(found.filter((one) => one !== null && one !== "end"));
      if (found.includes("end")) return true;
    }
  } catch (error) {
    if (isBroken(error)) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Ask for what is not known yet; tell whether nothing follows any more. */
async function ask(
  executionId: string,
  after: number,
  hear: (events: Event[]) => void,
  stop: AbortSignal,
): Promise<boolean> {
  for (let known = after; ; ) {
    const params = { path: { execution_id: executionId }, query: { after: known, limit: PAGE } };
    const found = await take(api.GET("/api/v1/executions/{execution_id}/events", { params, signal: stop }));
    hear(found.items);
    if (found.ended) return true;
    if (found.items.length < PAGE) return false;
    known = (found.items.at(-1) as Event).number;
  }
}

/** Read one message of a stream: an event, the end, or null for a comment.
 *
 * @example readMessage('id: 2\nevent: step_started\ndata: {"at": 1.5}')
 */
export function readMessage(text: string): Event | "end" | null {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  if (fields.get("event") === "end") return "end";
  const [id, data] = [fields.get("id"), fields.get("data")];
  if (id === undefined || data === undefined) return null;
  const body = JSON.parse(data);
  return { number: Number(id), at: body.at, body };
}

function isBroken(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === "AbortError");
}

function isPassing(error: unknown): boolean {
  return (error as { problem?: Schemas["Problem"] }).problem?.retryable ?? false;
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
