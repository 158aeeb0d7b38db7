import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../../words/format";
import { listAsked, type Said } from "./asked";

/** What the rows of a drawing had to keep to. */
export function AskedLine({ request }: { request: Record<string, unknown> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const asked = listAsked(request);
  if (asked.length === 0) return null;
  const write = (one: Said) => {
    const value = "value" in one ? one.value || t("synthesis.start.missing") : "";
    const share = one.kind === "share" ? format.percent(one.share) : "";
    return t(`synthesis.timeline.asked.${one.kind}`, { ...one, value, share });
  };
  return (
    <Text size="sm" c="dimmed">
      {t("synthesis.timeline.asked.title", { all: asked.map(write).join(" · ") })}
    </Text>
  );
}
