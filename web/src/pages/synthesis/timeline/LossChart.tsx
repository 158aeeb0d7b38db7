import "@mantine/charts/styles.css";
import { LineChart } from "@mantine/charts";
import { Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../../words/format";
import { best, type Story, thin } from "./story";

/** The losses of one table while it was trained: on rows it learned from, and on rows kept from it. */
export default function LossChart({ story }: { story: Story }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [chosen, setChosen] = useState("");
  const table = story.losses.has(chosen) ? chosen : (story.trained ?? "");
  const points = story.losses.get(table) ?? [];
  const least = best(points);
  const shown = thin(points).map((point, place) => ({ ...point, place }));
  const words = { training: t("synthesis.loss.training"), validation: t("synthesis.loss.validation") };
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-end">
        <Text fw={600}>{t("synthesis.loss.title")}</Text>
        <NativeSelect
          size="xs"
          aria-label={t("synthesis.loss.table")}
          value={story.losses.has(chosen) ? chosen : ""}
          onChange={(event) => setChosen(event.currentTarget.value)}
          data={[
            { value: "", label: t("synthesis.loss.newest", { table: story.trained ?? "" }) },
            ...[...story.losses.keys()].map((name) => ({ value: name, label: name })),
          ]}
        />
      </Group>
      <LineChart
        h={240}
        role="img"
        aria-label={t("synthesis.loss.about", { table })}
        data={shown}
        dataKey="place"
        withLegend
        legendProps={{ verticalAlign: "top", height: 36 }}
        gridAxis="x"
        tickLine="none"
        series={[
          { name: "training", label: words.training, color: "gray.6", strokeDasharray: "5 4" },
          { name: "validation", label: words.validation, color: "kin.5" },
        ]}
        curveType="monotone"
        withDots={points.length < 20}
        connectNulls
        yAxisProps={{
          domain: ["auto", "auto"],
          width: 48,
          tickFormatter: (loss: number) => format.short(loss),
        }}
        xAxisProps={{
          tickFormatter: (place: number) => String(shown[place]?.epoch ?? ""),
          minTickGap: 24,
          tickMargin: 6,
        }}
        valueFormatter={(value) => format.number(value, 3)}
        tooltipAnimationDuration={0}
        tooltipProps={{
          labelFormatter: (place) => t("synthesis.loss.atEpoch", { epoch: shown[Number(place)]?.epoch }),
        }}
        lineProps={{ isAnimationActive: false }}
      />
      {least?.validation != null && (
        <Text size="sm" c="dimmed">
          {t("synthesis.loss.best", { loss: format.number(least.validation, 3), epoch: least.epoch })}
        </Text>
      )}
    </Stack>
  );
}
