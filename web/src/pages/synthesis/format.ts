import { useMemo } from "react";
import { useTranslation } from "react-i18next";

/** How numbers, times and sizes are written in the language that is spoken. */
export interface Format {
  number(value: number, digits?: number): string;
  percent(share: number, digits?: number): string;
  duration(seconds: number): string;
  moment(at: number): string;
  bytes(size: number): string;
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => makeFormat(i18n.language), [i18n.language]);
}

export function makeFormat(language: string): Format {
  const unit = (value: number, of: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: "unit",
      unit: of,
      unitDisplay: "short",
      maximumFractionDigits: digits,
    }).format(value);
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return {
    number: (value, digits = 0) =>
      new Intl.NumberFormat(language, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value),
    percent: (share, digits = 1) =>
      new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share),
    duration: (seconds) => {
      if (seconds < 10) return unit(Math.max(0, seconds), "second", 1);
      const whole = Math.round(seconds);
      if (whole < 60) return unit(whole, "second");
      const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
      if (minutes < 60)
        return `${unit(minutes, "minute")}${minutes < 10 && rest ? ` ${unit(rest, "second")}` : ""}`;
      return `${unit(Math.floor(minutes / 60), "hour")} ${unit(minutes % 60, "minute")}`;
    },
    moment: (at) => moment.format(at * 1_000),
    bytes: (size) => {
      const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
      const power = Math.min(names.length - 1, Math.floor(Math.log(Math.max(1, size)) / Math.log(1_000)));
      return unit(size / 1_000 ** power, names[power] ?? "byte", power > 1 ? 1 : 0);
    },
  };
}
