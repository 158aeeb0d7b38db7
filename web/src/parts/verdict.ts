/** What a score from 0 to 10 means, in four words. */
export type Verdict = "excellent" | "good" | "fair" | "poor";

const BOUNDS: [number, Verdict][] = [
  [9, "excellent"],
  [7.5, "good"],
  [5, "fair"],
];

/** Judge a score as it is shown, with one digit. */
export function judge(score: number): Verdict {
  const shown = Math.round(score * 10) / 10;
  return BOUNDS.find(([bound]) => shown >= bound)?.[1] ?? "poor";
}

/** Colours go with the words, never instead of them. */
export const COLORS: Record<Verdict, string> = {
  excellent: "teal",
  good: "lime",
  fair: "orange",
  poor: "red",
};
