import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  Collapse,
  Group,
  Menu,
  NativeSelect,
  Switch,
  Text,
  TextInput,
  Title,
  Tooltip,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import {
  IconAdjustmentsHorizontal,
  IconAsterisk,
  IconChevronRight,
  IconSearch,
  IconTrash,
} from "@tabler/icons-react";
import { useDeferredValue, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { typeName } from "../../../parts/TypeIcon";
import { ColumnDrawer, NARROW, optionsOf } from "../ColumnDrawer";
import { ColumnMarks } from "../ColumnMarks";
import classes from "../Configurator.module.css";
import { useConfiguration } from "../context";
import { same } from "../model/document";
import { all, set, setColumn, setOriginal, setSensitive, setType } from "../model/edits";
import { fieldAt } from "../model/schema";
import type { ColumnView, TableView } from "../model/view";
import { SensitiveToggle } from "../SensitiveToggle";
import { TableList } from "../TableList";
import { TypeSelect } from "../TypeSelect";
import { useChosenTable } from "../useChosenTable";
import { VirtualList } from "../VirtualList";

const COLUMN = ["tables", "*", "columns", "*"];
const TREATMENTS = [
  "synthesize",
  "leave_out",
  "null",
  "mock",
  "hash",
  "mask",
  "generalise",
  "shift",
] as const;
/** Options that detection writes out; nobody chose them. */
const DETECTED = new Set(["format", "pair"]);
const ORDERED = new Set(["integer", "numeric", "date", "time", "datetime"]);

/** What happens to tables and columns on their way. */
export function TreatmentStep() {
  const { view } = useConfiguration();
  const tables = view.tables.filter((one) => one.isIncluded);
  const [table, choose] = useChosenTable(tables);
  return (
    <div className={classes.panes}>
      <TableList tables={tables} chosen={table?.name ?? null} onChoose={choose} />
      {table && <TablePane table={table} key={table.name} />}
    </div>
  );
}

function TablePane({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  return (
    <section className={classes.pane} aria-label={table.name}>
      <div className={classes.paneHead}>
        <Group justify="space-between" align="flex-start">
          <Title order={3} size="h4">
            {table.name}
            {table.isOriginal && (
              <IconAsterisk
                size={18}
                stroke={2.5}
                role="img"
                aria-label={t("configurator.tables.original")}
                className={classes.asterisk}
              />
            )}
          </Title>
          {!table.isOriginal && <Order table={table} />}
        </Group>
        <Switch
          mt="xs"
          label={t("configurator.treatment.original")}
          description={t("configurator.treatment.originalHelp")}
          checked={table.isOriginal}
          onChange={(event) => edit(setOriginal([table.name], event.currentTarget.checked))}
        />
        {!table.isOriginal && <Rules table={table} />}
      </div>
      {table.isOriginal && (
        <Text size="sm" c="dimmed" px="md" pt="sm">
          {t("configurator.treatment.originalShown")}
        </Text>
      )}
      <Columns table={table} />
    </section>
  );
}

function Order({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const place = ["tables", table.name, "order_by"];
  const said = table.settings.order_by;
  return (
    <NativeSelect
      size="xs"
      label={t("configurator.treatment.order")}
      title={t("configurator.treatment.orderHelp")}
      value={said == null ? "auto" : said === "" ? "none" : `=${said}`}
      onChange={(event) => {
        const { value } = event.currentTarget;
        edit(set(place, value === "auto" ? undefined : value === "none" ? "" : value.slice(1)));
      }}
    >
      <option value="auto">
        {t("configurator.treatment.orderAuto", {
          column: table.found.order_by ?? t("configurator.treatment.noOrder"),
        })}
      </option>
      <option value="none">{t("configurator.treatment.noOrder")}</option>
      {table.columns
        .filter((one) => one.isIncluded && (ORDERED.has(one.type) || one.name === said))
        .map((one) => (
          <option key={one.name} value={`=${one.name}`}>
            {one.name}
          </option>
        ))}
    </NativeSelect>
  );
}

function Rules({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { detection, edit, spot } = useConfiguration();
  const [isOpen, setOpen] = useState(spot?.table === table.name && spot.field === "rules");
  const rules =
    table.settings.rules ??
    detection.rules
      .filter((one) => one.table === table.name)
      .map(({ kind, columns }) => ({ kind, columns, enabled: true }));
  if (rules.length === 0) return null;
  return (
    <>
      <Button
        mt="xs"
        size="compact-sm"
        variant="subtle"
        onClick={() => setOpen(!isOpen)}
        aria-expanded={isOpen}
        leftSection={
          <IconChevronRight size={14} className={classes.chevron} data-open={isOpen || undefined} />
        }
      >
        {t("configurator.treatment.rules", { count: rules.length })}
      </Button>
      <Collapse expanded={isOpen}>
        <ul className={classes.rules}>
          {rules.map((rule, index) => {
            const known = detection.rules.find(
              (one) => one.table === table.name && one.kind === rule.kind && same(one.columns, rule.columns),
            );
            return (
              <li key={rule.kind + rule.columns.join()}>
                <Text size="sm" className={classes.cut} title={known?.reason}>
                  <code>{known?.text ?? `${rule.kind}: ${rule.columns.join(", ")}`}</code>
                </Text>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  aria-label={`${t("configurator.treatment.removeRule")}: ${known?.text ?? rule.columns.join(", ")}`}
                  onClick={() =>
                    edit(
                      set(
                        ["tables", table.name, "rules"],
                        rules.filter((_, number) => number !== index),
                      ),
                    )
                  }
                >
                  <IconTrash size={15} />
                </ActionIcon>
              </li>
            );
          })}
        </ul>
      </Collapse>
    </>
  );
}

function Columns({ table }: { table: TableView }) {
  const { t } = useTranslation();
  const { spot, step } = useConfiguration();
  const isNarrow = useMediaQuery(NARROW);
  const [text, setText] = useState("");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<string | null>(null);
  const led = spot?.step === step && spot.table === table.name ? spot.column : null;
  useEffect(() => {
    if (led && spot?.field && !["type", "treatment", "sensitive", "include"].includes(spot.field))
      setOpened(led);
  }, [led, spot]);
  const wanted = useDeferredValue(text).trim().toLowerCase();
  const included = table.columns.filter((one) => one.isIncluded);
  const shown = included.filter((one) => one.name.toLowerCase().includes(wanted));
  const chosen = included.filter((one) => selected.has(one.name));
  const open = included.find((one) => one.name === opened);
  const isAll = shown.length > 0 && shown.every((one) => selected.has(one.name));
  return (
    <>
      <Group className={classes.tools} justify="space-between">
        {chosen.length === 0 ? (
          <TextInput
            size="xs"
            leftSection={<IconSearch size={14} />}
            placeholder={t("configurator.columns.search")}
            aria-label={t("configurator.columns.search")}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        ) : (
          <Bulk table={table} columns={chosen} onClear={() => setSelected(new Set())} />
        )}
      </Group>
      <div
        className={`${classes.treatmentRow} ${classes.listHead}`}
        aria-hidden={table.isOriginal || undefined}
      >
        <Checkbox
          size="sm"
          checked={isAll}
          indeterminate={!isAll && chosen.length > 0}
          disabled={table.isOriginal}
          onChange={() => setSelected(isAll ? new Set() : new Set(shown.map((one) => one.name)))}
          aria-label={t("configurator.treatment.selectAll")}
        />
        <span>{t("configurator.treatment.column")}</span>
        <span>{t("configurator.treatment.type")}</span>
        <span>{t("configurator.treatment.shield")}</span>
        <span>{t("configurator.treatment.treatment")}</span>
        <span className={classes.unseen}>{t("configurator.treatment.optionsShort")}</span>
      </div>
      <VirtualList
        label={t("configurator.columns.list", { table: table.name })}
        count={shown.length}
        rowHeight={50}
        height="calc(var(--pane-height) - 120px)"
        focus={led ? shown.findIndex((one) => one.name === led) : undefined}
        keyOf={(index) => shown[index]?.name ?? ""}
      >
        {(index) => {
          const column = shown[index];
          return (
            column && (
              <ColumnRow
                table={table}
                column={column}
                isSelected={selected.has(column.name)}
                isLed={column.name === led}
                isNarrow={isNarrow}
                onSelect={(isOn) => {
                  const next = new Set(selected);
                  if (isOn) next.add(column.name);
                  else next.delete(column.name);
                  setSelected(next);
                }}
                onOptions={() => setOpened(column.name)}
              />
            )
          );
        }}
      </VirtualList>
      {open && <ColumnDrawer table={table} column={open} onClose={() => setOpened(null)} />}
    </>
  );
}

interface RowProps {
  table: TableView;
  column: ColumnView;
  isSelected: boolean;
  isLed: boolean;
  isNarrow: boolean;
  onSelect: (isOn: boolean) => void;
  onOptions: () => void;
}

function ColumnRow({ table, column, isSelected, isLed, isNarrow, onSelect, onOptions }: RowProps) {
  const { t } = useTranslation();
  const { schema } = useConfiguration();
  const set = optionsOf(schema, column).filter(
    (field) =>
      !DETECTED.has(field.name) &&
      column.settings[field.name] !== undefined &&
      !same(column.settings[field.name], field.default),
  ).length;
  return (
    <div className={classes.treatmentRow} data-spot={isLed || undefined}>
      <Checkbox
        size="sm"
        checked={isSelected}
        disabled={table.isOriginal}
        onChange={(event) => onSelect(event.currentTarget.checked)}
        aria-label={t("configurator.treatment.select", { name: column.name })}
      />
      <ColumnMarks column={column} />
      <TypeSelect
        table={table.name}
        column={column}
        label={t("configurator.columns.type", { name: column.name })}
      />
      <SensitiveToggle table={table.name} column={column} />
      <Treatment table={table} column={column} />
      <Tooltip
        label={
          set > 0
            ? t("configurator.treatment.optionsSet", { count: set })
            : t("configurator.treatment.optionsShort")
        }
      >
        <ActionIcon
          variant={set > 0 ? "light" : "subtle"}
          color={set > 0 ? undefined : "gray"}
          size="lg"
          disabled={table.isOriginal && !isNarrow}
          onClick={onOptions}
          aria-label={t("configurator.treatment.options", { name: column.name })}
        >
          <IconAdjustmentsHorizontal size={18} />
          {set > 0 && (
            <Badge size="xs" circle className={classes.optionCount}>
              {set}
            </Badge>
          )}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function Treatment({ table, column }: { table: TableView; column: ColumnView }) {
  const { t } = useTranslation();
  const { schema, edit } = useConfiguration();
  const field = fieldAt(schema, [...COLUMN, "treatment"]);
  return (
    <NativeSelect
      size="xs"
      aria-label={t("configurator.treatment.treat", { name: column.name })}
      value={column.settings.treatment ?? "synthesize"}
      disabled={table.isOriginal}
      onChange={(event) => {
        const { value } = event.currentTarget;
        edit(setColumn(table.name, [column.name], "treatment", value === field?.default ? undefined : value));
      }}
    >
      {field?.choices.map((name) => {
        const isLater = field.availableValues !== null && !field.availableValues.includes(name);
        const known = TREATMENTS.find((one) => one === name);
        const words = known ? t(`configurator.treatment.${known}`) : name;
        return (
          <option key={name} value={name} disabled={isLater}>
            {isLater ? t("configurator.treatment.later", { name: words }) : words}
          </option>
        );
      })}
    </NativeSelect>
  );
}

/** One change for several columns at once. */
function Bulk({ table, columns, onClear }: { table: TableView; columns: ColumnView[]; onClear: () => void }) {
  const { t } = useTranslation();
  const { schema, edit } = useConfiguration();
  const names = columns.map((one) => one.name);
  const types = fieldAt(schema, [...COLUMN, "type"])?.choices ?? [];
  return (
    <Group gap="xs">
      <Text size="sm" fw={600} role="status">
        {t("configurator.treatment.selected", { count: columns.length })}
      </Text>
      <Menu>
        <Menu.Target>
          <Button size="compact-sm" variant="light">
            {t("configurator.treatment.bulkType")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {types.map((type) => (
            <Menu.Item
              key={type}
              onClick={() => edit(all(...names.map((name) => setType(table.name, name, type))))}
            >
              {t(`parts.type.${typeName(type)}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Menu>
        <Menu.Target>
          <Button size="compact-sm" variant="light">
            {t("configurator.treatment.bulkSensitive")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => edit(setSensitive(table.name, names, true))}>
            {t("configurator.treatment.sensitive")}
          </Menu.Item>
          <Menu.Item onClick={() => edit(setSensitive(table.name, names, false))}>
            {t("configurator.treatment.notSensitive")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Menu>
        <Menu.Target>
          <Button size="compact-sm" variant="light">
            {t("configurator.treatment.bulkTreatment")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => edit(setColumn(table.name, names, "treatment", undefined))}>
            {t("configurator.treatment.synthesize")}
          </Menu.Item>
          <Menu.Item onClick={() => edit(setColumn(table.name, names, "treatment", "leave_out"))}>
            {t("configurator.treatment.leave_out")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onClear}>
        {t("configurator.treatment.clear")}
      </Button>
    </Group>
  );
}
