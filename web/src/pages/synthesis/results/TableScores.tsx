import { Badge, ScrollArea, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Evaluation, Metric, TableEvaluation } from "../../../api/evaluation";
import { COLORS, judge } from "../../../parts/verdict";
import { type Format, useFormat } from "../../../words/format";

const LEVELS = ["columns", "pairs", "detection"] as const;

/** The scores of each table and what they are made of, the weakest first. */
export function TableScores({ evaluation }: { evaluation: Evaluation }) {
  const { t } = useTranslation();
  const format = useFormat();
  const tables = evaluation.tables.toSorted((a, b) => a.accuracy - b.accuracy);
  return (
    <ScrollArea>
      <Table miw={680} aria-label={t("synthesis.scores.title")}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("synthesis.data.table")}</Table.Th>
            <Table.Th ta="right">{t("synthesis.scores.rows")}</Table.Th>
            <Table.Th>{t("synthesis.accuracy.title")}</Table.Th>
            <Table.Th>{t("synthesis.privacy.title")}</Table.Th>
            {LEVELS.map((level) => (
              <Table.Th key={level}>{t(`synthesis.scores.${level}`)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tables.map((table) => (
            <Table.Tr key={table.name}>
              <Table.Th scope="row" fw={600}>
                {table.name}
              </Table.Th>
              <Table.Td ta="right">{format.number(table.rows[1])}</Table.Td>
              <Table.Td>
                <ScoreBadge score={table.accuracy} />
              </Table.Td>
              <Table.Td>
                <ScoreBadge score={table.privacy} />
              </Table.Td>
              {LEVELS.map((level) => (
                <Table.Td key={level}>{writeLevel(table, level, format)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed" mt="sm">
        {t("synthesis.scores.about")}
      </Text>
    </ScrollArea>
  );
}

/** A score with its colour; a dash where there is none. */
export function ScoreBadge({ score }: { score: number | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (score === null)
    return (
      <Text span c="dimmed" aria-label={t("synthesis.scores.none")}>
        –
      </Text>
    );
  return (
    <Badge variant="light" color={COLORS[judge(score)]} size="lg" tt="none">
      {format.number(score, 1)}
    </Badge>
  );
}

function writeLevel(table: TableEvaluation, level: string, format: Format): string {
  const metric = table.metrics.find((one) => one.name === level);
  if (!metric) return "–";
  const held = metric.reference === null ? "" : ` (${format.percent(realism(metric, metric.reference))})`;
  return format.percent(realism(metric, metric.value)) + held;
}

/** Being told apart is worse the better it goes: realism is 2 (1 - AUC), at most 1. */
function realism(metric: Metric, value: number): number {
  return metric.name === "detection" ? Math.min(1, 2 * (1 - value)) : value;
}
