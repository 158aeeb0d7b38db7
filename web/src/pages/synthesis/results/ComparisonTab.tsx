import "@mantine/charts/styles.css";
import { Button, Center, Group, NativeSelect, SegmentedControl, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ColumnComparison, Evaluation, RelationComparison } from "../../../api/evaluation";
import { TypeIcon } from "../../../parts/TypeIcon";
import { useFormat } from "../../../words/format";
import { usePlace } from "../place";
import { DistributionCard } from "./DistributionCard";
import { PrivacyTable } from "./PrivacyTable";
import classes from "./Results.module.css";
import { TableScores } from "./TableScores";

const AT_ONCE = 12;
const VIEWS = ["tables", "columns", "relations", "privacy"] as const;
type View = (typeof VIEWS)[number];

/** Original against synthetic: scores by table, columns, relations, attacks on privacy. */
export default function ComparisonTab({ evaluation }: { evaluation: Evaluation }) {
  const { t } = useTranslation();
  const [view, setView] = useState<View>("columns");
  return (
    <Stack gap="md">
      <SegmentedControl
        aria-label={t("synthesis.charts.view")}
        value={view}
        onChange={(value) => setView(value as View)}
        data={VIEWS.map((value) => ({ value, label: t(`synthesis.charts.views.${value}`) }))}
        style={{ alignSelf: "flex-start", maxWidth: "100%" }}
      />
      {view === "tables" && <TableScores evaluation={evaluation} />}
      {view === "columns" && <Columns evaluation={evaluation} />}
      {view === "relations" && <Relations relations={evaluation.relations} />}
      {view === "privacy" && <PrivacyTable evaluation={evaluation} />}
    </Stack>
  );
}

function Columns({ evaluation }: { evaluation: Evaluation }) {
  const { t } = useTranslation();
  const place = usePlace();
  const [isWorst, setWorst] = useState("worst");
  const table = evaluation.tables.find((one) => one.name === place.table) ?? evaluation.tables[0];
  if (!table) return <Text c="dimmed">{t("synthesis.charts.nothing")}</Text>;
  const columns =
    isWorst === "worst"
      ? table.columns.toSorted((a, b) => a.similarity.value - b.similarity.value)
      : table.columns;
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <NativeSelect
            aria-label={t("synthesis.data.table")}
            value={table.name}
            onChange={(event) => place.go({ table: event.currentTarget.value })}
            data={evaluation.tables.map((one) => one.name)}
          />
          <NativeSelect
            aria-label={t("synthesis.charts.order")}
            value={isWorst}
            onChange={(event) => setWorst(event.currentTarget.value)}
            data={[
              { value: "worst", label: t("synthesis.charts.worst") },
              { value: "table", label: t("synthesis.charts.asInTable") },
            ]}
          />
        </Group>
        <Legend />
      </Group>
      <More key={`${table.name} ${isWorst}`} count={columns.length}>
        {(most) => columns.slice(0, most).map((column) => <Column key={column.name} column={column} />)}
      </More>
    </>
  );
}

function Column({ column }: { column: ColumnComparison }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [original = 0, synthetic = 0] = column.missing;
  return (
    <DistributionCard
      name={column.name}
      icon={<TypeIcon type={column.type} />}
      similarity={column.similarity}
      distribution={column.distribution}
    >
      {(original > 0 || synthetic > 0) && (
        <Text size="sm" c="dimmed" mt="xs">
          {t("synthesis.charts.missing", {
            original: format.percent(original),
            synthetic: format.percent(synthetic),
          })}
        </Text>
      )}
    </DistributionCard>
  );
}

function Relations({ relations }: { relations: RelationComparison[] }) {
  const { t } = useTranslation();
  if (relations.length === 0) return <Text c="dimmed">{t("synthesis.charts.noRelations")}</Text>;
  return (
    <>
      <Group justify="space-between" gap="sm">
        <Text c="dimmed">{t("synthesis.charts.relationsAbout")}</Text>
        <Legend />
      </Group>
      <More count={relations.length}>
        {(most) => relations.slice(0, most).map((one) => <Relation key={one.name} relation={one} />)}
      </More>
    </>
  );
}

function Relation({ relation }: { relation: RelationComparison }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <DistributionCard
      name={t("synthesis.charts.relation", { table: relation.table, parent: relation.parent })}
      similarity={relation.counts?.similarity ?? null}
      distribution={relation.counts?.shown ?? null}
    >
      <Text size="sm" c="dimmed" mt="xs">
        {t("synthesis.charts.keyAccuracy", {
          columns: relation.columns.join(", "),
          score: format.number(relation.accuracy, 1),
        })}
      </Text>
    </DistributionCard>
  );
}

/** Cards, a dozen at once. */
function More({ count, children }: { count: number; children: (most: number) => ReactNode }) {
  const { t } = useTranslation();
  const [most, setMost] = useState(AT_ONCE);
  return (
    <>
      <div className={classes.cards}>{children(most)}</div>
      {count > most && (
        <Center>
          <Button variant="default" onClick={() => setMost(most + AT_ONCE)}>
            {t("synthesis.charts.more", { count: count - most })}
          </Button>
        </Center>
      )}
    </>
  );
}

function Legend() {
  const { t } = useTranslation();
  const parts = [
    { color: "var(--mantine-color-gray-5)", label: t("synthesis.charts.original") },
    { color: "var(--mantine-color-kin-5)", label: t("synthesis.charts.synthetic") },
  ];
  return (
    <Group gap="md">
      {parts.map((part) => (
        <Group key={part.label} gap={6}>
          <span
            aria-hidden
            style={{
              width: 12,
              height: 12,
              borderRadius: 3,
              background: part.color,
              display: "inline-block",
            }}
          />
          <Text size="sm">{part.label}</Text>
        </Group>
      ))}
    </Group>
  );
}
