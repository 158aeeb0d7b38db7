import { BarChart } from "@mantine/charts";
import { Badge, Card, Group, Text, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Distribution, Metric } from "../../../api/evaluation";
import { COLORS, judge } from "../../../parts/verdict";
import { regional, useFormat } from "../../../words/format";
import { cellsOf } from "./cells";

/** How values are distributed in the original and in the synthetic rows, side by side. */
export function DistributionCard({
  name,
  icon,
  similarity,
  distribution,
  children,
}: {
  name: string;
  icon?: ReactNode;
  similarity: Metric | null;
  distribution: Distribution | null;
  children?: ReactNode;
}) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const cells = distribution ? cellsOf(distribution, regional(i18n.language)) : [];
  return (
    <Card padding="md">
      <Group justify="space-between" wrap="nowrap" mb="xs">
        <Group gap={6} wrap="nowrap" miw={0}>
          {icon}
          <Text fw={600} truncate title={name}>
            {name}
          </Text>
        </Group>
        {similarity && <Similarity metric={similarity} />}
      </Group>
      {distribution ? (
        <BarChart
          h={190}
          role="img"
          aria-label={t("synthesis.charts.label", { name })}
          data={cells}
          dataKey="label"
          series={[
            { name: "original", label: t("synthesis.charts.original"), color: "gray.5" },
            { name: "synthetic", label: t("synthesis.charts.synthetic"), color: "kin.5" },
          ]}
          barProps={{ isAnimationActive: false, radius: [3, 3, 0, 0] }}
          maxBarWidth={26}
          gridAxis="x"
          tickLine="none"
          valueFormatter={(share) => format.percent(share)}
          xAxisProps={{ tickFormatter: shorten, interval: "equidistantPreserveStart", tickMargin: 6 }}
          yAxisProps={{ width: 44, tickCount: 4, tickFormatter: (share: number) => format.percent(share, 0) }}
          tooltipAnimationDuration={0}
        />
      ) : (
        <Text size="sm" c="dimmed" py="xl">
          {t("synthesis.charts.hidden")}
        </Text>
      )}
      {children}
    </Card>
  );
}

function Similarity({ metric }: { metric: Metric }) {
  const { t } = useTranslation();
  const format = useFormat();
  const value = format.percent(metric.value);
  return (
    <Tooltip
      label={
        metric.reference === null
          ? t("synthesis.charts.similar", { value })
          : t("synthesis.charts.similarHeld", { value, held: format.percent(metric.reference) })
      }
    >
      <Badge variant="light" color={COLORS[judge(metric.value * 10)]} tt="none" style={{ flex: "none" }}>
        {value}
      </Badge>
    </Tooltip>
  );
}

function shorten(label: string): string {
  const first = label.split(" – ")[0] ?? label;
  return first.length > 12 ? `${first.slice(0, 11)}…` : first;
}
