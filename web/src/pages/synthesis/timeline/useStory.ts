import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Execution, refresh } from "../../../api/executions";
import { type Event, follow } from "../../../api/stream";
import { begin, type Story, tell } from "./story";

export interface Following {
  story: Story;
  /** Whether events come as they happen, are asked for again and again, or are all there. */
  state: "opening" | "live" | "asking" | "ended";
  error: unknown;
}

/** The story of an execution, told on as long as somebody looks. */
export function useStory(execution: Execution): Following {
  const client = useQueryClient();
  const { id, kind } = execution;
  const [following, setFollowing] = useState<Following>(() => opening(kind));
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another execution has another story
  useEffect(() => {
    setFollowing(opening(kind));
    return follow(id, {
      onEvents: (events) => {
        setFollowing((now) => ({ ...now, error: null, story: tell(now.story, events) }));
        if (events.some(changesStatus)) void refresh(client, execution);
      },
      onState: (state) => {
        setFollowing((now) => ({ ...now, state, error: null }));
      },
      onError: (error) => setFollowing((now) => ({ ...now, state: "asking", error })),
    });
  }, [client, id, kind]);
  return following;
}

function opening(kind: Execution["kind"]): Following {
  return { story: begin(kind), state: "opening", error: null };
}

function changesStatus(event: Event): boolean {
  const kind = String(event.body.kind);
  return !kind.startsWith("step_") && kind !== "execution_queued";
}
