/** A document with what was done to it: every edit can be undone and done again. */

import type { Document } from "./document";
import { same } from "./document";
import type { Edit } from "./edits";

export interface History {
  present: Document;
  past: readonly Document[];
  future: readonly Document[];
  /** The document of the version that is being changed. */
  saved: Document;
  version: number;
}

export type Action =
  | { kind: "edit"; edit: Edit }
  | { kind: "undo" }
  | { kind: "redo" }
  | { kind: "saved"; document: Document; version: number }
  | { kind: "open"; saved: Document; version: number; present?: Document };

const MOST_STEPS = 200;

export function begin(saved: Document, version: number, present = saved): History {
  return { present, past: [], future: [], saved, version };
}

export function step(history: History, action: Action): History {
  const { present, past, future } = history;
  switch (action.kind) {
    case "edit": {
      const made = action.edit(present);
      if (same(made, present)) return history;
      return { ...history, present: made, past: [...past.slice(-MOST_STEPS), present], future: [] };
    }
    case "undo": {
      const last = past.at(-1);
      if (!last) return history;
      return { ...history, present: last, past: past.slice(0, -1), future: [present, ...future] };
    }
    case "redo": {
      const [next, ...rest] = future;
      if (!next) return history;
      return { ...history, present: next, past: [...past, present], future: rest };
    }
    case "saved":
      return { ...history, saved: action.document, version: action.version };
    case "open":
      return begin(action.saved, action.version, action.present);
  }
}

export function isChanged(history: History): boolean {
  return !same(history.present, history.saved);
}
