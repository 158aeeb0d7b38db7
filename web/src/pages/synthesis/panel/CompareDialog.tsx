import { Anchor, Checkbox, Modal, ScrollArea, Stack, Table, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Execution, evaluationOf, scoresFrom } from "../../../api/executions";
import { Problem } from "../../../parts/Problem";
import { useFormat } from "../../../words/format";
import { usePlace } from "../place";
import { ScoreBadge } from "../results/TableScores";

const MOST = 12;

/** Scores of executions side by side, whole and table by table. */
export function CompareDialog({ executions, onClose }: { executions: Execution[]; onClose: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const place = usePlace();
  const offered = executions.slice(0, MOST);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const shown = offered.filter((one) => !left.has(one.id));
  const found = useQueries({ queries: shown.map((one) => evaluationOf(scoresFrom(one, executions))) });
  const failed = found.find((one) => one.isError);
  const tables = [...new Set(found.flatMap((one) => one.data?.tables.map((table) => table.name) ?? []))];
  const toggle = (id: string) =>
    setLeft((now) => (now.has(id) ? new Set([...now].filter((one) => one !== id)) : new Set([...now, id])));
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1000px, 96vw)"
      title={t("synthesis.compare.title")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        {failed && <Problem error={failed.error} />}
        {offered.length > 2 && (
          <Checkbox.Group label={t("synthesis.compare.which")} value={shown.map((one) => one.id)}>
            <Stack gap={6} mt="xs">
              {offered.map((one) => (
                <Checkbox
                  key={one.id}
                  value={one.id}
                  label={`${one.name} · ${format.moment(one.created_at)}`}
                  onChange={() => toggle(one.id)}
                />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
        <ScrollArea>
          <Table miw={160 + shown.length * 150} aria-label={t("synthesis.compare.title")}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("synthesis.compare.score")}</Table.Th>
                {shown.map((one) => (
                  <Table.Th key={one.id}>
                    <Anchor
                      component="button"
                      type="button"
                      ta="left"
                      onClick={() => {
                        place.go({ execution: one.id });
                        onClose();
                      }}
                    >
                      {one.name}
                    </Anchor>
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {(["privacy", "accuracy"] as const).map((score) => (
                <Table.Tr key={score}>
                  <Table.Th scope="row">{t(`synthesis.${score}.title`)}</Table.Th>
                  {shown.map((one, index) => (
                    <Table.Td key={one.id}>
                      <ScoreBadge score={found[index]?.data?.[score] ?? null} />
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
              {tables.map((name) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={400}>
                    {t("synthesis.compare.accuracyOf", { table: name })}
                  </Table.Th>
                  {shown.map((one, index) => (
                    <Table.Td key={one.id}>
                      <ScoreBadge
                        score={
                          found[index]?.data?.tables.find((table) => table.name === name)?.accuracy ?? null
                        }
                      />
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
              <Table.Tr>
                <Table.Th scope="row">{t("synthesis.size.rows")}</Table.Th>
                {shown.map((one) => (
                  <Table.Td key={one.id}>{format.number(one.rows)}</Table.Td>
                ))}
              </Table.Tr>
              <Table.Tr>
                <Table.Th scope="row">{t("synthesis.compare.time")}</Table.Th>
                {shown.map((one) => (
                  <Table.Td key={one.id}>{format.duration(one.used_seconds)}</Table.Td>
                ))}
              </Table.Tr>
              <Table.Tr>
                <Table.Th scope="row">{t("synthesis.compare.version")}</Table.Th>
                {shown.map((one) => (
                  <Table.Td key={one.id}>
                    {t("synthesis.compare.versions", {
                      synthesis: one.synthesis_version,
                      source: one.source_version,
                    })}
                  </Table.Td>
                ))}
              </Table.Tr>
            </Table.Tbody>
          </Table>
        </ScrollArea>
        <Text size="sm" c="dimmed">
          {t("synthesis.compare.about")}
        </Text>
      </Stack>
    </Modal>
  );
}
