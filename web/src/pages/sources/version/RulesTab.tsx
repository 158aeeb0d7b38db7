import { Text } from "@mantine/core";
import { IconListCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { Empty } from "../../../parts/Empty";
import { RowList } from "../../../parts/RowList";

type Rule = Schemas["RuleView"];

/** What all rows keep, as it was found. */
export function RulesTab({ rules }: { rules: Rule[] }) {
  const { t } = useTranslation();
  if (rules.length === 0)
    return (
      <Empty icon={<IconListCheck size={32} stroke={1.5} />} title={t("sources.rule.none")}>
        {t("sources.rule.noneText")}
      </Empty>
    );
  return (
    <RowList
      label={t("sources.page.tabs.rules")}
      items={rules}
      idOf={(one) => `${one.table} ${one.kind} ${one.text}`}
      rowHeight={46}
      columns={[
        {
          key: "table",
          title: t("sources.page.tableLabel"),
          width: 200,
          render: (one) => <b>{one.table}</b>,
        },
        { key: "text", title: t("sources.rule.text"), render: (one) => one.text },
        {
          key: "why",
          title: t("sources.rule.why"),
          from: "md",
          render: (one) => (
            <Text size="sm" c="dimmed" truncate title={one.reason}>
              {one.reason}
            </Text>
          ),
        },
      ]}
    />
  );
}
