import { Button, Group, Modal, Radio, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ColumnPicker } from "./ColumnPicker";
import { useConfiguration } from "./context";
import { same } from "./model/document";
import { addForeignKey, replaceForeignKey } from "./model/edits";
import { keysOf, type RelationView } from "./model/view";

interface Props {
  /** The foreign key that is edited; null for a new one. */
  relation: RelationView | null;
  /** The table that a new one may begin at. */
  table: string | null;
  onClose: () => void;
}

/** A foreign key: which columns of which table name a row of which other. */
export function RelationDialog({ relation, table, onClose }: Props) {
  const { t } = useTranslation();
  const { view, document, detection, edit } = useConfiguration();
  const [child, setChild] = useState(relation?.table ?? table);
  const [columns, setColumns] = useState<string[]>(relation?.columns ?? []);
  const [parent, setParent] = useState(relation?.parent ?? null);
  const [references, setReferences] = useState<string[]>(relation?.references ?? []);
  const [orphans, setOrphans] = useState(relation?.orphans ?? "refuse");
  const [owner, setOwner] = useState(relation?.owner ?? null);
  const names = view.tables.filter((one) => one.isIncluded).map((one) => one.name);
  const from = child === null ? undefined : view.byName.get(child);
  const to = parent === null ? undefined : view.byName.get(parent);
  const choose = (name: string | null) => {
    setParent(name);
    setReferences(name === null ? [] : (view.byName.get(name)?.primaryKey ?? []));
  };
  const isComplete =
    from !== undefined && to !== undefined && columns.length > 0 && columns.length === references.length;

  const apply = () => {
    if (!from || !to) return;
    const index = relation
      ? view.relations.filter((one) => one.table === relation.table).indexOf(relation)
      : -1;
    const before = index < 0 ? {} : keysOf(document, detection, from.name)[index];
    const { owner: _owner, orphans: _orphans, ...others } = { owner: null, orphans: "refuse", ...before };
    const key = {
      ...others,
      columns,
      table: to.name,
      references: same(references, to.primaryKey) && !relation?.references.length ? [] : references,
      ...(orphans === "refuse" ? {} : { orphans }),
      ...(owner === null ? {} : { owner }),
    };
    edit(
      index < 0
        ? addForeignKey(detection, from.name, key)
        : replaceForeignKey(detection, from.name, index, key),
    );
    onClose();
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t(relation ? "configurator.relations.dialogEdit" : "configurator.relations.dialogNew")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <Stack gap="sm" miw={240}>
            <Select
              label={t("configurator.relations.child")}
              data={names}
              value={child}
              onChange={(name) => {
                setChild(name);
                setColumns([]);
              }}
              disabled={relation !== null}
              searchable
              limit={50}
              allowDeselect={false}
              data-autofocus={relation === null || undefined}
            />
            {from && (
              <ColumnPicker
                label={t("configurator.relations.columns")}
                table={from}
                chosen={columns}
                onChange={setColumns}
              />
            )}
          </Stack>
          <Stack gap="sm" miw={240}>
            <Select
              label={t("configurator.relations.parent")}
              data={names}
              value={parent}
              onChange={choose}
              searchable
              limit={50}
              allowDeselect={false}
            />
            {to && (
              <ColumnPicker
                label={t("configurator.relations.references")}
                table={to}
                chosen={references}
                onChange={setReferences}
              />
            )}
          </Stack>
        </Group>
        {to && to.primaryKey.length === 0 && references.length === 0 && (
          <Text size="sm" c="orange" role="alert">
            {t("configurator.relations.needsKey", { table: to.name })}
          </Text>
        )}
        {columns.length > 0 && references.length > 0 && columns.length !== references.length && (
          <Text size="sm" c="orange" role="alert">
            {t("configurator.relations.mismatch", { count: references.length })}
          </Text>
        )}
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <Radio.Group
            miw={240}
            label={t("configurator.relations.orphans")}
            value={orphans}
            onChange={(value) => setOrphans(value as typeof orphans)}
          >
            <Stack gap={6} mt={6}>
              {(["refuse", "null", "drop"] as const).map((one) => (
                <Radio key={one} value={one} label={t(`configurator.relations.${one}`)} />
              ))}
            </Stack>
          </Radio.Group>
          <Radio.Group
            miw={240}
            label={t("configurator.relations.ownership")}
            value={String(owner)}
            onChange={(value) => setOwner(value === "null" ? null : value === "true")}
          >
            <Stack gap={6} mt={6}>
              <Radio value="null" label={t("configurator.relations.ownerAuto")} />
              <Radio value="true" label={t("configurator.relations.ownerYes")} />
              <Radio value="false" label={t("configurator.relations.ownerNo")} />
            </Stack>
          </Radio.Group>
        </Group>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button disabled={!isComplete} onClick={apply}>
            {t("configurator.relations.apply")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
