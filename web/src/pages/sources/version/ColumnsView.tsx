import { Group, Progress, Text, Tooltip } from "@mantine/core";
import { IconShield } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { DetectedColumn, DetectedTable } from "../../../api/sources";
import { type RowColumn, RowList } from "../../../parts/RowList";
import { TypeIcon, typeName } from "../../../parts/TypeIcon";
import { useFormat } from "../../../words/format";

/** The columns of a table: what was made of each, and why. */
export function ColumnsView({ table }: { table: DetectedTable }) {
  const { t } = useTranslation();
  const columns: RowColumn<DetectedColumn>[] = [
    {
      key: "name",
      title: t("sources.column.name"),
      render: (one) => (
        <Group gap={8} wrap="nowrap">
          {table.primary_key.includes(one.name) && <TypeIcon type="key" />}
          <Text size="sm" fw={550} truncate title={one.name}>
            {one.name}
          </Text>
          {one.personal && (
            <Tooltip label={t("sources.column.personal", { reason: one.personal })}>
              <IconShield
                size={16}
                role="img"
                aria-label={t("sources.column.personal", { reason: one.personal })}
                style={{ flex: "none" }}
              />
            </Tooltip>
          )}
        </Group>
      ),
    },
    {
      key: "type",
      title: t("sources.column.type"),
      width: 170,
      render: (one) => (
        <Group gap={8} wrap="nowrap">
          <TypeIcon type={one.type} />
          <Text size="sm" truncate>
            {t(`parts.type.${typeName(one.type)}`)}
          </Text>
        </Group>
      ),
    },
    {
      key: "missing",
      title: t("sources.column.missing"),
      width: 150,
      from: "sm",
      render: (one) => <Share value={table.rows ? one.missing / table.rows : 0} color="orange" />,
    },
    {
      key: "sure",
      title: t("sources.column.sure"),
      width: 150,
      from: "lg",
      render: (one) => <Share value={one.confidence} color="kin" />,
    },
    {
      key: "why",
      title: t("sources.column.why"),
      from: "md",
      render: (one) => (
        <Tooltip label={`${one.reason} (${one.storage})`}>
          <Text size="sm" c="dimmed" truncate>
            {one.reason}
          </Text>
        </Tooltip>
      ),
    },
  ];
  return (
    <RowList
      label={t("sources.page.columnsLabel", { table: table.name })}
      items={table.columns}
      idOf={(one) => one.name}
      columns={columns}
      rowHeight={46}
    />
  );
}

function Share({ value, color }: { value: number; color: string }) {
  const { percent } = useFormat();
  return (
    <Group gap={8} wrap="nowrap">
      <Progress value={100 * value} color={color} size="sm" flex={1} aria-hidden />
      <Text size="xs" w={44} ta="right">
        {percent(value)}
      </Text>
    </Group>
  );
}
