import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ApiError, api, take } from "../../../api/client";
import {
  createSource,
  deleteSource,
  openVersion,
  putFile,
  SOURCE_LIST,
  type SourceVersion,
  sealVersion,
  sourceKey,
} from "../../../api/sources";
import type { Candidate } from "./candidates";

/** Where files go: into a source to make, or a new version of one that is there. */
export type Target = { name: string } | { sourceId: string; copyFiles: boolean };

export type Sending =
  | { state: "waiting" }
  | { state: "sending"; share: number }
  | { state: "sent" }
  | { state: "failed"; error: unknown };

type Phase = "choosing" | "sending" | "stopped" | "sealing";
const LANES = 3;

/**
 * Sends files, three at a time, and seals the version once all are there.
 *
 * A file that failed stops nothing: the others are sent, and it can be sent again or left out.
 */
export function useUpload(onSealed: (version: SourceVersion) => void) {
  const client = useQueryClient();
  const [phase, setPhase] = useState<Phase>("choosing");
  const [sendings, setSendings] = useState<ReadonlyMap<string, Sending>>(new Map());
  const [error, setError] = useState<unknown>(null);
  const version = useRef<SourceVersion | null>(null);
  const made = useRef<string | null>(null);
  const abort = useRef(new AbortController());
  useWarning(phase === "sending" || phase === "sealing");

  const mark = (name: string, sending: Sending) =>
    setSendings((before) => new Map(before).set(name, sending));

  const sendOne = async (one: Candidate): Promise<boolean> => {
    const signal = abort.current.signal;
    mark(one.name, { state: "sending", share: 0 });
    try {
      if (!version.current) throw new Error("no version is open");
      await putFile(
        version.current,
        one.name,
        one.file,
        (share) => mark(one.name, { state: "sending", share }),
        signal,
      );
      mark(one.name, { state: "sent" });
      return true;
    } catch (failure) {
      if (signal.aborted) mark(one.name, { state: "waiting" });
      else mark(one.name, { state: "failed", error: failure });
      return false;
    }
  };

  const send = async (files: readonly Candidate[]): Promise<boolean> => {
    const queue = [...files];
    let isWhole = true;
    const lane = async () => {
      for (let one = queue.shift(); one && !abort.current.signal.aborted; one = queue.shift())
        isWhole = (await sendOne(one)) && isWhole;
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return isWhole && !abort.current.signal.aborted;
  };

  const seal = async () => {
    if (!version.current) return;
    setPhase("sealing");
    const sealed = await sealVersion(version.current);
    await client.invalidateQueries({ queryKey: SOURCE_LIST });
    await client.invalidateQueries({ queryKey: sourceKey(sealed.source_id) });
    onSealed(sealed);
  };

  /** Run some steps of the upload, and stay where one fails. */
  const attempt = async (act: () => Promise<boolean>) => {
    setError(null);
    setPhase("sending");
    const signal = abort.current.signal;
    try {
      if (await act()) await seal();
      else if (!signal.aborted) setPhase("stopped");
    } catch (failure) {
      setError(failure);
      setPhase(version.current ? "stopped" : "choosing");
    }
  };

  const start = (target: Target, files: readonly Candidate[]) => {
    abort.current = new AbortController();
    setSendings(new Map(files.map((one) => [one.name, { state: "waiting" }])));
    return attempt(async () => {
      if (!version.current) {
        if ("name" in target) made.current = (await createSource(target.name)).id;
        const sourceId = "name" in target ? made.current : target.sourceId;
        version.current = await openOrTake(sourceId ?? "", "copyFiles" in target && target.copyFiles);
      }
      return send(files);
    });
  };

  /** Send again what failed, or one of it; then seal where nothing is missing. */
  const retry = (files: readonly Candidate[], all: readonly Candidate[]) =>
    attempt(async () => {
      const names = new Set(files.map((one) => one.name));
      const others = all.filter((one) => !names.has(one.name));
      const isWhole = others.every((one) => sendings.get(one.name)?.state === "sent");
      return (await send(files)) && isWhole;
    });

  /** Stop; a source that was made for this goes again, a version of another stays open. */
  const cancel = async () => {
    abort.current.abort();
    const sourceId = made.current;
    const left = version.current;
    version.current = made.current = null;
    setPhase("choosing");
    setSendings(new Map());
    if (left) await client.invalidateQueries({ queryKey: sourceKey(left.source_id) });
    if (!sourceId) return;
    try {
      await deleteSource(sourceId);
    } catch (failure) {
      setError(failure);
    }
    await client.invalidateQueries({ queryKey: SOURCE_LIST });
  };

  return { phase, sendings, error, start, retry, cancel, finish: () => attempt(async () => true) };
}

/** Open a version, or take the one that an upload before this left open. */
async function openOrTake(sourceId: string, copyFiles: boolean): Promise<SourceVersion> {
  try {
    return await openVersion(sourceId, copyFiles);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "source.version_open")) throw error;
    const listed = await take(
      api.GET("/api/v1/sources/{source_id}/versions", {
        params: { path: { source_id: sourceId }, query: { limit: 1 } },
      }),
    );
    const open = listed.items.find((one) => !one.sealed);
    if (!open) throw error;
    return open;
  }
}

/** Ask before the window is closed over work that would be lost. */
function useWarning(isAtWork: boolean) {
  useEffect(() => {
    if (!isAtWork) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isAtWork]);
}
