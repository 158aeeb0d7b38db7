import { ScrollArea, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Evaluation } from "../../../api/evaluation";
import { useFormat } from "../../../words/format";
import { ScoreBadge } from "./TableScores";

const ATTACKS = ["exact_copies", "close_rows", "rows_at_risk", "membership"] as const;

/** What was tried on each table to find copied or remembered rows, beside what strangers' rows give. */
export function PrivacyTable({ evaluation }: { evaluation: Evaluation }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ScrollArea>
      <Table miw={680} aria-label={t("synthesis.charts.views.privacy")}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("synthesis.data.table")}</Table.Th>
            <Table.Th>{t("synthesis.privacy.title")}</Table.Th>
            {ATTACKS.map((attack) => (
              <Table.Th key={attack}>
                {t(`synthesis.attacks.${attack}`)}
                <Text size="xs" c="dimmed" fw={400}>
                  {t(`synthesis.attacks.${attack}About`)}
                </Text>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {evaluation.tables.map((table) => (
            <Table.Tr key={table.name}>
              <Table.Th scope="row" fw={600}>
                {table.name}
              </Table.Th>
              <Table.Td>
                <ScoreBadge score={table.privacy} />
              </Table.Td>
              {ATTACKS.map((attack) => {
                const metric = table.neighbours?.metrics.find((one) => one.name === attack);
                return (
                  <Table.Td key={attack}>
                    {metric ? format.percent(metric.value) : "–"}
                    {metric?.reference != null && (
                      <Text span c="dimmed">
                        {" "}
                        ({format.percent(metric.reference)})
                      </Text>
                    )}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed" mt="sm" maw={900}>
        {t("synthesis.attacks.about")}
      </Text>
    </ScrollArea>
  );
}
