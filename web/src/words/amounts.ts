import { useTranslation } from "react-i18next";

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Give numbers, times and sizes as the chosen language writes them. */
export function useAmounts() {
  const language = useTranslation().i18n.language;
  const number = (value: number, options?: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: 1, ...options }).format(value);
  const unit = (value: number, name: string) =>
    number(value, { style: "unit", unit: name, unitDisplay: "short" });
  return {
    number: (value: number) => number(value),
    date: (at: number) => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(at * 1000),
    time: (at: number) =>
      new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at * 1000),
    ago: (at: number) => relative(at - Date.now() / 1000, language),
    bytes: (value: number) => {
      const size = Math.min(SIZES.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
      return unit(value / 1000 ** size, SIZES[size] ?? "byte");
    },
    duration: (seconds: number) => {
      if (seconds < 60) return unit(seconds, "second");
      if (seconds < 3600) return unit(seconds / 60, "minute");
      return unit(seconds / 3600, "hour");
    },
  };
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

function relative(seconds: number, language: string): string {
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return words.format(0, "second");
}
