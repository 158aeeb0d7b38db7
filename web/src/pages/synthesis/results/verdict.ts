/** What a score from 0 to 10 means, in four words. */
export type Verdict = "excellent" | "good" | "fair" | "poor";

const BOUNDS: [number, Verdict][] = [
  [9, "excellent"],
  [7.5, "good"],
  [5, "fair"],
];

export function judge(score: number): Verdict {
  return BOUNDS.find(([bound]) => score >= bound)?.[1] ?? "poor";
}

/** Colours go with the words, never instead of them. */
export const COLORS: Record<Verdict, string> = {
  excellent: "teal",
  good: "lime",
  fair: "orange",
  poor: "red",
};
