import type { Execution } from "../../api/executions";
import type { Synthesis } from "../../api/syntheses";

const LEVELS = ["view", "run", "edit", "own"];

/** Whether somebody with a level on a synthesis may do what needs another one. */
export function may(synthesis: Pick<Synthesis, "level">, needed: "view" | "run" | "edit" | "own"): boolean {
  return LEVELS.indexOf(synthesis.level) >= LEVELS.indexOf(needed);
}

/** Whether somebody may rename, cancel or delete an execution: editors, and who started it. */
export function mayChange(
  synthesis: Pick<Synthesis, "level">,
  execution: Execution,
  userId: string,
): boolean {
  return may(synthesis, "edit") || (may(synthesis, "run") && execution.owner_id === userId);
}
