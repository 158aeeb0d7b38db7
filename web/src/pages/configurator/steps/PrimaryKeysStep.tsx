import { Badge, Button, Group, Modal, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { IconKey, IconPencil, IconSearch, IconWand } from "@tabler/icons-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { ColumnPicker } from "../ColumnPicker";
import classes from "../Configurator.module.css";
import { useConfiguration } from "../context";
import { same } from "../model/document";
import { all, setPrimaryKey } from "../model/edits";
import type { TableView } from "../model/view";
import { VirtualList } from "../VirtualList";

/** What names the rows of each table. */
export function PrimaryKeysStep() {
  const { t } = useTranslation();
  const { view, edit, alerts, spot } = useConfiguration();
  const [text, setText] = useState("");
  const [filter, setFilter] = useState("all");
  const [changed, setChanged] = useState<string | null>(null);
  const wanted = useDeferredValue(text).trim().toLowerCase();
  const tables = view.tables.filter((one) => one.isIncluded);
  const shown = tables.filter(
    (one) => one.name.toLowerCase().includes(wanted) && (filter === "all" || one.primaryKey.length === 0),
  );
  const offered = tables.filter((one) => one.primaryKey.length === 0 && one.found.proposed_key.length > 0);
  const wrong = new Set(
    alerts
      .filter((one) => one.spot.step === "primary_keys" && one.finding.severity === "error")
      .map((one) => one.spot.table),
  );
  const led = spot?.step === "primary_keys" ? shown.findIndex((one) => one.name === spot.table) : undefined;
  const open = changed === null ? undefined : view.byName.get(changed);
  return (
    <section className={classes.pane} aria-label={t("configurator.steps.primary_keys")}>
      <Group className={classes.paneHead} justify="space-between">
        <Group gap="sm">
          <TextInput
            leftSection={<IconSearch size={16} />}
            placeholder={t("configurator.tables.search")}
            aria-label={t("configurator.tables.search")}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <SegmentedControl
            value={filter}
            onChange={setFilter}
            data={[
              { value: "all", label: t("configurator.keys.filter") },
              { value: "missing", label: t("configurator.keys.filterMissing") },
            ]}
          />
        </Group>
        {offered.length > 0 && (
          <Button
            variant="light"
            leftSection={<IconWand size={16} />}
            onClick={() =>
              edit(all(...offered.map((one) => setPrimaryKey(one.name, one.found.proposed_key))))
            }
          >
            {t("configurator.keys.acceptAll", { count: offered.length })}
          </Button>
        )}
      </Group>
      <VirtualList
        label={t("configurator.steps.primary_keys")}
        count={shown.length}
        rowHeight={68}
        height="var(--pane-height)"
        focus={led}
        keyOf={(index) => shown[index]?.name ?? ""}
      >
        {(index) => {
          const table = shown[index];
          return (
            table && (
              <KeyRow
                table={table}
                isWrong={wrong.has(table.name)}
                isLed={index === led}
                onChange={() => setChanged(table.name)}
              />
            )
          );
        }}
      </VirtualList>
      {open && <KeyDialog table={open} onClose={() => setChanged(null)} key={open.name} />}
    </section>
  );
}

function KeyRow(props: { table: TableView; isWrong: boolean; isLed: boolean; onChange: () => void }) {
  const { t } = useTranslation();
  const { view, edit } = useConfiguration();
  const { table, isWrong, isLed, onChange } = props;
  const { found, primaryKey } = table;
  const isProposed = same(primaryKey, found.proposed_key) && primaryKey.length > 0;
  const by = [
    ...new Set(
      view.relations.filter((one) => one.isActive && one.parent === table.name).map((one) => one.table),
    ),
  ];
  const reason = isProposed || primaryKey.length === 0 ? found.key_reason : "";
  return (
    <div className={classes.keyRow} data-spot={isLed || undefined}>
      <div className={classes.keyTable}>
        <Text fw={600} truncate>
          {table.name}
        </Text>
        <Text size="xs" c="dimmed" truncate title={by.join(", ")}>
          {by.length > 0 && t("configurator.keys.referenced", { tables: by.join(", ") })}
        </Text>
      </div>
      <div className={classes.keyChosen}>
        <Group gap={6} wrap="nowrap">
          {primaryKey.length === 0 ? (
            <Badge variant="default">{t("configurator.keys.none")}</Badge>
          ) : (
            <Badge
              variant="light"
              color={isWrong ? "red" : undefined}
              leftSection={<IconKey size={13} />}
              tt="none"
              size="lg"
              title={primaryKey.join(", ")}
            >
              {primaryKey.join(", ")}
            </Badge>
          )}
          {primaryKey.length > 0 && (
            <Badge variant="outline" color="gray" size="sm" className={classes.wide}>
              {isProposed
                ? `${t("configurator.keys.detected")} ${Math.round((found.key_confidence ?? 0) * 100)} %`
                : t("configurator.keys.chosen")}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" truncate title={reason}>
          {reason}
        </Text>
      </div>
      <Group gap="xs" wrap="nowrap">
        {!isProposed && found.proposed_key.length > 0 && (
          <Button
            size="xs"
            variant="light"
            onClick={() => edit(setPrimaryKey(table.name, found.proposed_key))}
          >
            {t("configurator.keys.use", { key: found.proposed_key.join(", ") })}
          </Button>
        )}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPencil size={14} />}
          onClick={onChange}
          aria-label={t("configurator.keys.change", { table: table.name })}
        >
          {t("configurator.keys.changeShort")}
        </Button>
      </Group>
    </div>
  );
}

function KeyDialog({ table, onClose }: { table: TableView; onClose: () => void }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const [chosen, setChosen] = useState<string[]>(table.primaryKey);
  const apply = (columns: string[]) => {
    edit(setPrimaryKey(table.name, columns));
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("configurator.keys.pick", { table: table.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        <Text size="sm">{t("configurator.keys.pickHelp")}</Text>
        <ColumnPicker
          label={t("configurator.columns.list", { table: table.name })}
          table={table}
          chosen={chosen}
          onChange={setChosen}
        />
        <Group justify="space-between">
          <Button variant="subtle" color="gray" onClick={() => apply([])}>
            {t("configurator.keys.remove")}
          </Button>
          <Button disabled={chosen.length === 0} onClick={() => apply(chosen)}>
            {t("configurator.keys.apply")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
