import { useEffect, useReducer } from "react";
import type { Document } from "../../api/documents";
import { useUser } from "../../app/session";
import { begin, isChanged, step } from "./model/history";

export interface Kept {
  version: number;
  document: Document;
}

/** The draft of one person and one synthesis: kept in this browser until it is saved. */
export function useDraft(synthesisId: string, saved: Document, version: number) {
  const place = `kinsynth-draft:${useUser().id}:${synthesisId}`;
  const [history, act] = useReducer(step, null, () => {
    const kept = readKept(place);
    return kept ? begin(saved, kept.version, kept.document) : begin(saved, version);
  });
  useEffect(() => {
    if (isChanged(history)) keep(place, { version: history.version, document: history.present });
    else localStorage.removeItem(place);
  }, [place, history]);
  return { history, act };
}

function readKept(place: string): Kept | null {
  const text = localStorage.getItem(place);
  if (text === null) return null;
  try {
    const kept: Partial<Kept> = JSON.parse(text);
    return typeof kept.version === "number" && typeof kept.document === "object" && kept.document !== null
      ? (kept as Kept)
      : null;
  } catch {
    return null; // not written by this application: what is saved stands
  }
}

function keep(place: string, kept: Kept): void {
  try {
    localStorage.setItem(place, JSON.stringify(kept));
  } catch (error) {
    // a full or forbidden store loses recovery only; the draft itself is in memory, and can be saved
    console.warn("kinsynth: the draft is not kept in this browser", error);
  }
}
