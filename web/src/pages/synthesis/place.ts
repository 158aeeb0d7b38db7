import { useCallback } from "react";
import { useSearchParams } from "react-router";

const NAMES = ["execution", "timeline", "tab", "table"] as const;
type Place = Partial<Record<(typeof NAMES)[number], string | null>>;

/** What is looked at: kept in the address, so that it survives a reload and can be sent to somebody. */
export function usePlace() {
  const [params, setParams] = useSearchParams();
  const go = useCallback(
    (place: Place) =>
      setParams(
        (now) => {
          const next = new URLSearchParams(now);
          for (const [name, value] of Object.entries(place))
            if (value === null) next.delete(name);
            else if (value !== undefined) next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return {
    execution: params.get("execution"),
    timeline: params.get("timeline"),
    tab: params.get("tab"),
    table: params.get("table"),
    go,
  };
}
