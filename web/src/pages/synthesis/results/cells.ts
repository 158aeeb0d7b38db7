import type { Distribution } from "../../../api/evaluation";

/** A cell of a distribution, ready to be drawn. */
export interface Cell {
  label: string;
  original: number;
  synthetic: number;
  holdout: number | null;
}

/** Name the cells of a distribution: by their labels, or by the values between which they lie. */
export function cellsOf(distribution: Distribution, language: string): Cell[] {
  const { labels, edges, scale, original, synthetic, holdout } = distribution;
  const name =
    edges.length > 1 ? nameEdges(edges.map(Number), scale, language) : (place: number) => labels[place];
  return original.map((share, place) => ({
    label: name(place) ?? String(place + 1),
    original: share,
    synthetic: synthetic[place] ?? 0,
    holdout: holdout?.[place] ?? null,
  }));
}

const DAY_MS = 86_400_000;

function nameEdges(
  edges: number[],
  scale: Distribution["scale"],
  language: string,
): (place: number) => string {
  const write = writer(edges, scale, language);
  const names = edges.map((edge) => write(edge));
  return (place) => `${names[place]} – ${names[place + 1]}`;
}

function writer(edges: number[], scale: Distribution["scale"], language: string): (edge: number) => string {
  if (scale === "number") {
    const spans = edges.slice(1).map((edge, place) => edge - (edges[place] ?? 0));
    const least = Math.min(...spans.filter((span) => span > 0), Number.POSITIVE_INFINITY);
    const digits = Number.isFinite(least) ? Math.max(0, Math.min(6, Math.ceil(-Math.log10(least)) + 1)) : 0;
    const large = Math.max(...edges.map(Math.abs)) >= 1e7;
    return new Intl.NumberFormat(language, {
      maximumFractionDigits: edges.every(Number.isInteger) ? 0 : digits,
      ...(large ? { notation: "compact" as const, maximumFractionDigits: 2 } : {}),
    }).format;
  }
  const parts: Intl.DateTimeFormatOptions =
    scale === "time" ? { timeStyle: "short" } : { day: "numeric", month: "short", year: "numeric" };
  const format = new Intl.DateTimeFormat(language, { ...parts, timeZone: "UTC" });
  return (edge) => format.format(new Date(scale === "date" ? edge * DAY_MS : edge / 1_000));
}
