import { Badge, Text, Tooltip } from "@mantine/core";
import { IconArrowsJoin } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { Empty } from "../../../parts/Empty";
import { type RowColumn, RowList } from "../../../parts/RowList";
import { useFormat } from "../../../words/format";

type Relation = Schemas["RelationView"];

/** Which columns refer to which tables, as it was found. */
export function RelationsTab({ relations }: { relations: Relation[] }) {
  const { t } = useTranslation();
  const { percent } = useFormat();
  if (relations.length === 0)
    return (
      <Empty icon={<IconArrowsJoin size={32} stroke={1.5} />} title={t("sources.relation.none")}>
        {t("sources.relation.noneText")}
      </Empty>
    );
  const columns: RowColumn<Relation>[] = [
    {
      key: "from",
      title: t("sources.relation.from"),
      render: (one) => <Place table={one.table} columns={one.columns} />,
    },
    {
      key: "to",
      title: t("sources.relation.to"),
      render: (one) => <Place table={one.references_table} columns={one.references_columns} />,
    },
    {
      key: "state",
      title: t("sources.relation.state"),
      width: 130,
      from: "sm",
      render: (one) => (
        <Badge variant="light" color={one.used ? "green" : "gray"} tt="none">
          {t(one.used ? "sources.relation.used" : "sources.relation.suggested")}
        </Badge>
      ),
    },
    {
      key: "sure",
      title: t("sources.relation.sure"),
      width: 90,
      from: "lg",
      align: "right",
      render: (one) => one.confidence !== null && percent(one.confidence, 0),
    },
    {
      key: "why",
      title: t("sources.relation.why"),
      from: "md",
      render: (one) => (
        <Tooltip label={one.reason}>
          <Text size="sm" c="dimmed" truncate>
            {one.reason}
          </Text>
        </Tooltip>
      ),
    },
  ];
  return (
    <RowList
      label={t("sources.page.tabs.relations")}
      items={relations}
      idOf={(one) => [one.table, ...one.columns, "→", one.references_table].join(" ")}
      columns={columns}
      rowHeight={46}
    />
  );
}

function Place({ table, columns }: { table: string; columns: readonly string[] }) {
  return (
    <Text size="sm" truncate title={`${table}.${columns.join(", ")}`}>
      <b>{table}</b>.{columns.join(", ")}
    </Text>
  );
}
