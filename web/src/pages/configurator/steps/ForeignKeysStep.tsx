import { ActionIcon, Badge, Button, Group, SegmentedControl, Text, TextInput, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconArrowRight,
  IconCheck,
  IconPencil,
  IconPlus,
  IconSchema,
  IconSearch,
  IconTrash,
  IconX,
} from "@tabler/icons-react";
import { lazy, Suspense, useDeferredValue, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../../../parts/Empty";
import { PageLoader } from "../../../parts/PageLoader";
import classes from "../Configurator.module.css";
import { useConfiguration } from "../context";
import { addForeignKey, all, removeForeignKey } from "../model/edits";
import type { RelationView } from "../model/view";
import { RelationDialog } from "../RelationDialog";
import { VirtualList } from "../VirtualList";

const Diagram = lazy(async () => ({ default: (await import("../Diagram")).Diagram }));

type Line = { relation: RelationView; isSuggestion: boolean };

/** How tables are connected: as a list and as a diagram. */
export function ForeignKeysStep() {
  const { t } = useTranslation();
  const { view, edit, detection, spot } = useConfiguration();
  const isWide = useMediaQuery("(min-width: 75em)", true, { getInitialValueInEffect: false });
  const [shownPart, setShownPart] = useState("list");
  const [text, setText] = useState("");
  const [table, setTable] = useState<string | null>(null);
  const [opened, setOpened] = useState<RelationView | "new" | null>(null);
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const wait = setTimeout(() => setSettled(true), 60); // the list first: a large diagram takes its time
    return () => clearTimeout(wait);
  }, []);
  const wanted = useDeferredValue(text).trim().toLowerCase();
  const isShown = (one: RelationView) =>
    (table === null || one.table === table || one.parent === table) &&
    [one.table, one.parent, ...one.columns].some((name) => name.toLowerCase().includes(wanted));
  const included = view.relations.filter((one) => view.byName.get(one.table)?.isIncluded);
  const lines: Line[] = [
    ...included.filter(isShown).map((relation) => ({ relation, isSuggestion: false })),
    ...view.suggestions.filter(isShown).map((relation) => ({ relation, isSuggestion: true })),
  ];
  const led =
    spot?.step === "foreign_keys"
      ? lines.findIndex(({ relation }) => relation.table === spot.table)
      : undefined;
  const accept = (relations: RelationView[]) =>
    edit(
      all(
        ...relations.map((one) =>
          addForeignKey(detection, one.table, {
            columns: one.columns,
            table: one.parent,
            references: one.references,
          }),
        ),
      ),
    );
  const list = (
    <section className={classes.pane} aria-label={t("configurator.relations.list")}>
      <Group className={classes.paneHead} justify="space-between">
        <TextInput
          leftSection={<IconSearch size={16} />}
          placeholder={t("configurator.relations.search")}
          aria-label={t("configurator.relations.search")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Group gap="xs">
          {table !== null && (
            <Button
              size="xs"
              variant="light"
              rightSection={<IconX size={14} />}
              onClick={() => setTable(null)}
              aria-label={t("configurator.relations.showAll")}
            >
              {t("configurator.relations.onlyOf", { table })}
            </Button>
          )}
          {view.suggestions.length > 1 && (
            <Button size="xs" variant="light" onClick={() => accept(view.suggestions)}>
              {t("configurator.relations.acceptAll")}
            </Button>
          )}
          <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setOpened("new")}>
            {t("configurator.relations.add")}
          </Button>
        </Group>
      </Group>
      {lines.length === 0 && wanted === "" && table === null ? (
        <Empty icon={<IconSchema size={32} />} title={t("configurator.relations.empty")}>
          {t("configurator.relations.emptyHelp")}
        </Empty>
      ) : (
        <VirtualList
          label={t("configurator.relations.list")}
          count={lines.length}
          rowHeight={78}
          height="var(--pane-height)"
          focus={led}
          keyOf={(index) => lines[index]?.relation.id ?? ""}
        >
          {(index) => {
            const line = lines[index];
            return (
              line && (
                <RelationRow
                  line={line}
                  isLed={index === led}
                  onOpen={() => setOpened(line.relation)}
                  onAccept={() => accept([line.relation])}
                />
              )
            );
          }}
        </VirtualList>
      )}
    </section>
  );
  const diagram = (
    <section className={classes.pane} aria-label={t("configurator.relations.diagram")}>
      {isSettled ? (
        <Suspense fallback={<PageLoader />}>
          <Diagram chosen={table} onChoose={setTable} onOpen={setOpened} />
        </Suspense>
      ) : (
        <PageLoader />
      )}
    </section>
  );
  return (
    <>
      {!isWide && (
        <SegmentedControl
          value={shownPart}
          onChange={setShownPart}
          data={[
            { value: "list", label: t("configurator.relations.list") },
            { value: "diagram", label: t("configurator.relations.diagram") },
          ]}
        />
      )}
      {isWide ? (
        <div className={classes.halves}>
          {list}
          {diagram}
        </div>
      ) : shownPart === "list" ? (
        list
      ) : (
        diagram
      )}
      {opened && (
        <RelationDialog
          relation={opened === "new" ? null : opened}
          table={table}
          onClose={() => setOpened(null)}
          key={opened === "new" ? "new" : opened.id}
        />
      )}
    </>
  );
}

function RelationRow(props: { line: Line; isLed: boolean; onOpen: () => void; onAccept: () => void }) {
  const { t } = useTranslation();
  const { line, isLed, onOpen, onAccept } = props;
  const { relation, isSuggestion } = line;
  const remove = useRemove(relation);
  const names = { child: `${relation.table}.${relation.columns.join(", ")}`, parent: relation.parent };
  return (
    <div
      className={classes.relation}
      data-spot={isLed || undefined}
      data-suggestion={isSuggestion || undefined}
    >
      <div className={classes.relationWords}>
        <Text size="sm" className={classes.arrowed} title={`${names.child} → ${names.parent}`}>
          <span className={classes.cut}>
            <b>{relation.table}</b>.{relation.columns.join(", ")}
          </span>
          <IconArrowRight size={15} aria-label="→" style={{ flex: "none" }} />
          <span className={classes.cut}>
            <b>{relation.parent}</b>
            {relation.references.length > 0 && `.${relation.references.join(", ")}`}
          </span>
        </Text>
        <Group gap={6} wrap="nowrap">
          <RelationBadges relation={relation} isSuggestion={isSuggestion} />
        </Group>
        <Text size="xs" c="dimmed" truncate title={relation.reason}>
          {relation.reason}
        </Text>
      </div>
      <Group gap={4} wrap="nowrap">
        {isSuggestion ? (
          <Button size="xs" variant="light" leftSection={<IconCheck size={14} />} onClick={onAccept}>
            {t("configurator.relations.accept")}
          </Button>
        ) : (
          <>
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={onOpen}
              aria-label={t("configurator.relations.edit", names)}
            >
              <IconPencil size={18} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="red"
              onClick={remove}
              aria-label={t("configurator.relations.remove", names)}
            >
              <IconTrash size={18} />
            </ActionIcon>
          </>
        )}
      </Group>
    </div>
  );
}

function RelationBadges({ relation, isSuggestion }: { relation: RelationView; isSuggestion: boolean }) {
  const { t } = useTranslation();
  const { view } = useConfiguration();
  const role = roleOf(relation, view.byName.get(relation.parent)?.isOriginal ?? false);
  return (
    <>
      {!relation.isActive && (
        <Tooltip label={t("configurator.relations.inactiveHelp")}>
          <Badge size="sm" color="gray" variant="light" tabIndex={0}>
            {t("configurator.relations.inactive")}
          </Badge>
        </Tooltip>
      )}
      {role && !isSuggestion && (
        <Tooltip label={t(`configurator.relations.${role}Help`, { path: relation.implied })}>
          <Badge size="sm" variant="light" tabIndex={0}>
            {t(`configurator.relations.${role}`)}
          </Badge>
        </Tooltip>
      )}
      {relation.confidence !== null && (
        <Badge size="sm" variant="outline" color="gray">
          {t(isSuggestion ? "configurator.keys.suggested" : "configurator.keys.detected")}{" "}
          {Math.round(relation.confidence * 100)} %
        </Badge>
      )}
    </>
  );
}

const ROLES = ["owner", "key", "reference", "implied"] as const;

function roleOf(relation: RelationView, isLookup: boolean): (typeof ROLES)[number] | null {
  if (isLookup) return "reference";
  if (relation.owner !== null) return relation.owner ? "owner" : "key";
  return ROLES.find((one) => one === relation.role && one !== "reference") ?? null;
}

function useRemove(relation: RelationView): () => void {
  const { t } = useTranslation();
  const { view, detection, edit, undo } = useConfiguration();
  return () => {
    const index = view.relations.filter((one) => one.table === relation.table).indexOf(relation);
    edit(removeForeignKey(detection, relation.table, index));
    const id = notifications.show({
      message: (
        <Group justify="space-between">
          {t("configurator.relations.removed")}
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              undo();
              notifications.hide(id);
            }}
          >
            {t("common.undo")}
          </Button>
        </Group>
      ),
    });
  };
}
