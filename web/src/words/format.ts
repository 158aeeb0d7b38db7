import { useTranslation } from "react-i18next";

/** How numbers, times and sizes are written in the language that is spoken. */
export interface Format {
  /** With this many digits behind the point. */
  number(value: number, digits?: number): string;
  /** With three digits that count. */
  short(value: number): string;
  percent(share: number, digits?: number): string;
  /** Seconds as exactly as they matter. */
  duration(seconds: number): string;
  /** Seconds that are only estimated. */
  about(seconds: number): string;
  /** A day, from seconds since 1970. */
  date(at: number): string;
  /** A day and its time. */
  moment(at: number): string;
  /** How long ago that is. */
  ago(at: number): string;
  bytes(size: number): string;
  /** What a quota limits: seconds, or rows. */
  resource(name: "seconds" | "rows", value: number): string;
}

/** One for each language: what writes numbers is dear to make, and every row of a list asks for it. */
const known = new Map<string, Format>();

export function useFormat(): Format {
  const { i18n } = useTranslation();
  const language = regional(i18n.language);
  const format = known.get(language) ?? makeFormat(language);
  known.set(language, format);
  return format;
}

/** The language as it is written where somebody is: days and numbers differ between countries. */
export function regional(language: string): string {
  return navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const [MINUTE, HOUR] = [60, 3_600];

export function makeFormat(language: string): Format {
  const writers = new Map<string, Intl.NumberFormat>();
  const write = (value: number, options: Intl.NumberFormatOptions) => {
    const key = JSON.stringify(options);
    const writer = writers.get(key) ?? new Intl.NumberFormat(language, options);
    writers.set(key, writer);
    return writer.format(value);
  };
  const unit = (value: number, name: string, digits = 0, unitDisplay: "short" | "long" = "short") =>
    write(value, { style: "unit", unit: name, unitDisplay, maximumFractionDigits: digits });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const format: Format = {
    number: (value, digits = 0) =>
      write(value, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    short: (value) => write(value, { maximumSignificantDigits: 3 }),
    percent: (share, digits = 1) => write(share, { style: "percent", maximumFractionDigits: digits }),
    duration: (seconds) => {
      if (seconds < 10) return unit(Math.max(0, seconds), "second", 1);
      const whole = Math.round(seconds);
      if (whole < MINUTE) return unit(whole, "second");
      const parts: [number, string][] =
        whole < HOUR
          ? [
              [Math.floor(whole / MINUTE), "minute"],
              [whole < 10 * MINUTE ? whole % MINUTE : 0, "second"],
            ]
          : [
              [Math.floor(whole / HOUR), "hour"],
              [Math.floor((whole % HOUR) / MINUTE), "minute"],
            ];
      return parts
        .filter(([value]) => value > 0)
        .map(([value, name]) => unit(value, name))
        .join(" ");
    },
    about: (seconds) => {
      if (seconds < 90) return unit(Math.max(1, Math.round(seconds)), "second", 0, "long");
      if (seconds < 90 * MINUTE) return unit(Math.round(seconds / MINUTE), "minute", 0, "long");
      return unit(seconds / HOUR, "hour", 1, "long");
    },
    date: (at) => date.format(at * 1_000),
    moment: (at) => moment.format(at * 1_000),
    ago: (at) => relative(at - Date.now() / 1_000, language),
    bytes: (size) => {
      const rounded = Number(Math.max(1, size).toPrecision(3)); // 999,999 bytes are a megabyte
      const power = Math.min(SIZES.length - 1, Math.floor(Math.log10(rounded) / 3));
      return unit(size / 1_000 ** power, SIZES[power] ?? "byte", power > 1 ? 1 : 0);
    },
    resource: (name, value) => (name === "seconds" ? format.duration(value) : format.number(value)),
  };
  return format;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", HOUR],
  ["minute", MINUTE],
];

function relative(seconds: number, language: string): string {
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return words.format(0, "second");
}
