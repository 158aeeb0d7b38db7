import { Badge, Card, Group, Loader, Tabs, Text } from "@mantine/core";
import { IconArrowsJoin, IconFiles, IconListCheck, IconMessageReport, IconTable } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { type SourceVersion, useDetection } from "../../../api/sources";
import { Problem } from "../../../parts/Problem";
import { useFormat } from "../../../words/format";
import { FilesTab } from "./FilesTab";
import { FindingsTab } from "./FindingsTab";
import { RelationsTab } from "./RelationsTab";
import { RulesTab } from "./RulesTab";
import { TablesTab } from "./TablesTab";

/** What a sealed version holds, as it was detected. */
export function VersionView({ version }: { version: SourceVersion }) {
  const { t } = useTranslation();
  const { number, bytes } = useFormat();
  const [search, setSearch] = useSearchParams();
  const detection = useDetection(version.source_id, version.number);
  const tab = search.get("tab") ?? (detection.isError ? "files" : "tables");
  const choose = (name: string | null) =>
    setSearch(
      (before) => {
        before.set("tab", name ?? "tables");
        return before;
      },
      { replace: true },
    );
  const found = detection.data;
  const rows = found?.tables.reduce((sum, one) => sum + one.rows, 0) ?? 0;
  const columns = found?.tables.reduce((sum, one) => sum + one.columns.length, 0) ?? 0;
  const size = version.files.reduce((sum, one) => sum + one.size, 0);

  return (
    <Tabs value={tab} onChange={choose} keepMounted={false}>
      {found && (
        <Group gap="xs" mb="md">
          <Badge size="lg" variant="light" tt="none">
            {t("sources.page.tables", { count: found.tables.length })}
          </Badge>
          <Badge size="lg" variant="light" tt="none">
            {t("sources.page.columns", { count: columns })}
          </Badge>
          <Badge size="lg" variant="light" tt="none">
            {t("sources.page.rows", { count: rows, amount: number(rows) })}
          </Badge>
          <Badge size="lg" variant="light" color="gray" tt="none">
            {bytes(size)}
          </Badge>
        </Group>
      )}
      <Tabs.List mb="md">
        <Tab value="tables" icon={<IconTable size={18} />} count={found?.tables.length} />
        <Tab value="relations" icon={<IconArrowsJoin size={18} />} count={found?.relations.length} />
        <Tab value="rules" icon={<IconListCheck size={18} />} count={found?.rules.length} />
        <Tab
          value="findings"
          icon={<IconMessageReport size={18} />}
          count={found && found.findings.length + found.skipped.length}
        />
        <Tab value="files" icon={<IconFiles size={18} />} count={version.files.length} />
      </Tabs.List>
      {detection.isError && tab !== "files" && (
        <Problem error={detection.error} onRetry={() => void detection.refetch()} />
      )}
      {detection.isPending && tab !== "files" && (
        <Card>
          <Group role="status">
            <Loader size="sm" />
            <Text c="dimmed">{t("sources.page.reading")}</Text>
          </Group>
        </Card>
      )}
      {found && (
        <>
          <Tabs.Panel value="tables">
            <TablesTab version={version} tables={found.tables} />
          </Tabs.Panel>
          <Tabs.Panel value="relations">
            <RelationsTab relations={found.relations} />
          </Tabs.Panel>
          <Tabs.Panel value="rules">
            <RulesTab rules={found.rules} />
          </Tabs.Panel>
          <Tabs.Panel value="findings">
            <FindingsTab findings={found.findings} skipped={found.skipped} />
          </Tabs.Panel>
        </>
      )}
      <Tabs.Panel value="files">
        <FilesTab files={version.files} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Tab({
  value,
  icon,
  count,
}: {
  value: "tables" | "relations" | "rules" | "findings" | "files";
  icon: ReactNode;
  count: number | undefined;
}) {
  const { t } = useTranslation();
  const badge = count !== undefined && (
    <Badge size="sm" variant="light" color="gray" circle={count < 10}>
      {count}
    </Badge>
  );
  return (
    <Tabs.Tab value={value} leftSection={icon} rightSection={badge}>
      {t(`sources.page.tabs.${value}`)}
    </Tabs.Tab>
  );
}
