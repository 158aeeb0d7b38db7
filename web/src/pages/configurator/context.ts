import { createContext, useContext } from "react";
import type { Document, JsonSchema } from "../../api/documents";
import type { Detection } from "../../api/sources";
import type { SynthesisDetail } from "../../api/syntheses";
import type { Checks } from "./checks";
import type { Alert, Spot, StepName } from "./model/alerts";
import type { Edit } from "./model/edits";
import type { View } from "./model/view";

export interface Configuration {
  synthesis: SynthesisDetail;
  document: Document;
  detection: Detection;
  view: View;
  schema: JsonSchema;
  checks: Checks;
  alerts: Alert[];
  /** What somebody was led to; steps show it. */
  spot: Spot | null;
  edit: (edit: Edit) => void;
  undo: () => void;
  goTo: (spot: Spot) => void;
  step: StepName;
}

export const Current = createContext<Configuration | null>(null);

/** What is configured, and what may be done to it; only inside the configurator. */
export function useConfiguration(): Configuration {
  const found = useContext(Current);
  if (!found) throw new Error("useConfiguration outside of the configurator");
  return found;
}
