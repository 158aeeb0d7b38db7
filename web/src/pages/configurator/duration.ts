import type { TFunction } from "i18next";

/** Say a time about as exactly as it is known. */
export function writeDuration(t: TFunction, seconds: number, language: string): string {
  if (seconds < 90) return t("configurator.cost.seconds", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t("configurator.cost.minutes", { count: Math.round(seconds / 60) });
  const hours = new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(seconds / 3600);
  return t("configurator.cost.hours", { hours });
}
