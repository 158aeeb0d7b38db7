import { useDebouncedValue } from "@mantine/hooks";
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { type Checked, checkDraft, type Document } from "../../api/documents";

export interface Checks {
  /** What was last said, about whichever document. */
  said: Checked | null;
  /** Whether it is about the document as it is now. */
  isCurrent: boolean;
  error: unknown;
  retry: () => void;
}

interface Answer {
  of: Document | null;
  said: Checked | null;
  error: unknown;
}

const PAUSE_MS = 450;

/** Checks the document whenever it rests: one at a time, and the newest next. */
export function useChecks(synthesisId: string, document: Document): Checks {
  const [answer, setAnswer] = useState<Answer>({ of: null, said: null, error: null });
  const [rested] = useDebouncedValue(document, PAUSE_MS);
  const runner = useRef<Runner | null>(null);
  useEffect(() => {
    const made = new Runner(synthesisId, setAnswer);
    runner.current = made;
    return () => made.stop();
  }, [synthesisId]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another synthesis has another runner
  useEffect(() => runner.current?.want(rested), [rested, synthesisId]);
  const retry = useCallback(() => runner.current?.want(document), [document]);
  return { said: answer.said, isCurrent: answer.of === document, error: answer.error, retry };
}

/** A check costs the server seconds and cannot be called back: what comes meanwhile waits, but for the newest. */
class Runner {
  private next: Document | null = null;
  private isBusy = false;
  private readonly stopper = new AbortController();

  constructor(
    private readonly synthesisId: string,
    private readonly tell: (change: (before: Answer) => Answer) => void,
  ) {}

  want(document: Document): void {
    this.next = document;
    if (!this.isBusy) void this.work();
  }

  stop(): void {
    this.next = null;
    this.stopper.abort();
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    while (this.next) {
      const of: Document = this.next;
      this.next = null;
      try {
        const said = await checkDraft(this.synthesisId, of, this.stopper.signal);
        this.tell(() => ({ of, said, error: null }));
      } catch (error) {
        if (this.stopper.signal.aborted) break;
        const said = readFindings(error);
        this.tell((before) => (said ? { of, said, error: null } : { of, said: before.said, error }));
      }
    }
    this.isBusy = false;
  }
}

/** A document that does not fit its own form is refused; what is wrong are findings like others. */
function readFindings(error: unknown): Checked | null {
  if (!(error instanceof ApiError) || !error.code.startsWith("settings.")) return null;
  const { findings, code, where, message, remedy } = error.problem;
  const all = findings.length
    ? findings
    : [{ code, where, message, remedy, severity: "error" as const, step: "settings", count: null }];
  return { findings: all, assessment: null, rows: {} };
}
