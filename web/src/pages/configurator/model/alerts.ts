/** What checks say, by step and place, each with what repairs it at once where something does. */

import type { Schemas } from "../../../api/client";
import type { Detection } from "../../../api/sources";
import { type Document, type Place, read, splitPath } from "./document";
import {
  all,
  type Edit,
  includeTables,
  removeForeignKey,
  set,
  setOriginal,
  setPrimaryKey,
  setSensitive,
  setType,
} from "./edits";
import type { TableView, View } from "./view";

export type Finding = Schemas["FindingView"];

export const STEPS = ["data", "primary_keys", "foreign_keys", "treatment", "settings"] as const;
export type StepName = (typeof STEPS)[number];

export interface Spot {
  step: StepName;
  table: string | null;
  column: string | null;
  /** The field below the table, the column or the document. */
  field: string | null;
}

/** What repairs a finding: a name of the words, with what it is about. */
export interface Remedy {
  word:
    | "remove"
    | "leaveTableOut"
    | "markOriginal"
    | "unmarkOriginal"
    | "markParentOriginal"
    | "noKey"
    | "useKey"
    | "removeRelation"
    | "dropOrphans"
    | "nullOrphans"
    | "manyRoots"
    | "asType"
    | "reset"
    | "swapBounds"
    | "removeRule"
    | "notPersonal"
    | "write"
    | "autoBatching"
    | "csv";
  values: Record<string, string | number>;
  edit: Edit;
}

export interface Alert {
  id: string;
  finding: Finding;
  spot: Spot;
  remedies: Remedy[];
}

export interface Situation {
  document: Document;
  detection: Detection;
  view: View;
}

export function makeAlerts(findings: readonly Finding[], situation: Situation): Alert[] {
  return findings.map((finding, index) => ({
    id: `${index}:${finding.code}:${finding.where}`,
    finding,
    spot: findSpot(finding),
    remedies: findRemedies(finding, situation),
  }));
}

export function isStep(name: string): name is StepName {
  return (STEPS as readonly string[]).includes(name);
}

/** Say where in the configurator a finding is about. */
export function findSpot(finding: Finding): Spot {
  const place = splitPath(finding.where);
  const step = isStep(finding.step) ? finding.step : "settings";
  if (place[0] !== "tables") return { step, table: null, column: null, field: finding.where || null };
  const inColumn = place[2] === "columns" && place.length > 3;
  return {
    step,
    table: place[1] ?? null,
    column: inColumn ? (place[3] ?? null) : null,
    field: (inColumn ? place[4] : place[2]) ?? null,
  };
}

/** Give what repairs a finding with one click, best first; the server's own words stand where nothing does. */
export function findRemedies(finding: Finding, situation: Situation): Remedy[] {
  const make = REMEDIES[finding.code];
  return make ? make({ ...situation, finding, place: splitPath(finding.where) }) : [];
}

interface About extends Situation {
  finding: Finding;
  place: string[];
}
type Make = (about: About) => Remedy[];

const remedy = (word: Remedy["word"], edit: Edit, values: Remedy["values"] = {}): Remedy[] => [
  { word, edit, values },
];
const last = (place: Place) => place.at(-1) ?? "";

const reset: Make = ({ place }) => remedy("reset", set(place, undefined), { field: last(place) });
const remove: Make = ({ place }) => remedy("remove", set(place, undefined), { name: last(place) });
const leaveTableOut: Make = ({ place: [, table = ""] }) =>
  remedy("leaveTableOut", includeTables([table], false), { table });
const unmark: Make = ({ place: [, table = ""] }) =>
  remedy("unmarkOriginal", setOriginal([table], false), { table });
const noKey: Make = ({ place: [, table = ""] }) => remedy("noKey", setPrimaryKey(table, []), { table });
const removeRelation: Make = ({ place, detection }) => {
  const [, table = "", , number] = place;
  return number === undefined
    ? []
    : remedy("removeRelation", removeForeignKey(detection, table, Number(number)), { table });
};
const removeRule: Make = ({ place, document }) => {
  const [, table = "", , number = ""] = place;
  const rule = ["tables", table, "rules", number];
  return read(document, rule) === undefined ? [] : remedy("removeRule", set(rule, undefined));
};
const asType =
  (type: string): Make =>
  ({ place: [, table = "", , column = ""] }) =>
    column ? remedy("asType", setType(table, column, type), { type }) : [];
const orphans =
  (...ways: ("drop" | "null")[]): Make =>
  ({ place }) =>
    place[3] === undefined
      ? []
      : ways.flatMap((way) =>
          remedy(way === "drop" ? "dropOrphans" : "nullOrphans", set([...place, "orphans"], way)),
        );
/** The number that the server's own remedy writes for the field. */
const write: Make = ({ place, finding }) => {
  const value = /: (\d+(?:\.\d+)?)\.?$/.exec(finding.remedy)?.[1];
  return value === undefined ? [] : remedy("write", set(place, Number(value)), { value });
};

/** Take the defaults of fields of a column. */
const resetFields =
  (...fields: string[]): Make =>
  ({ place }) =>
    remedy("reset", all(...fields.map((name) => set([...place.slice(0, 4), name], undefined))), {
      field: fields.join(", "),
    });
const withoutBounds = resetFields("minimum", "maximum", "non_negative");

const FEWEST_ROWS = 20;
const personalColumns = (table: TableView | undefined): string[] =>
  (table?.columns ?? []).filter((one) => one.isIncluded && one.isSensitive).map((one) => one.name);

/**
 * Give the tables that look like lookups: others reference them, they reference no table that is made anew, their
 * rows are few, and nothing in them is personal. Of no others is it offered to copy the rows.
 */
function lookups(view: View): string[] {
  const made = new Set(view.synthesized.map((one) => one.name));
  const active = view.relations.filter((one) => one.isActive && one.table !== one.parent);
  return view.synthesized
    .filter((one) => one.rows < FEWEST_ROWS && personalColumns(one).length === 0)
    .map((one) => one.name)
    .filter(
      (name) =>
        active.some((one) => one.parent === name) &&
        !active.some((one) => one.table === name && made.has(one.parent)),
    );
}

const mark: Make = ({ view, place: [, table] }) => {
  const able = lookups(view).filter((name) => table === undefined || name === table);
  return able.length
    ? remedy("markOriginal", setOriginal(able, true), { table: able.join(", "), count: able.length })
    : [];
};

const REMEDIES: Record<string, Make | undefined> = {
  "data.unknown_table": remove,
  "data.unknown_column": remove,
  "data.empty_table": leaveTableOut,
  "data.no_columns": leaveTableOut,
  "data.too_few_rows": mark,
  "data.hardly_any_rows": (about) => {
    const marks = mark(about);
    return marks.length ? marks : leaveTableOut(about);
  },
  "primary_keys.unknown_column": noKey,
  "primary_keys.nulls": noKey,
  "primary_keys.duplicates": noKey,
  "primary_keys.missing": ({ place: [, table = ""], view }) => {
    const key = view.byName.get(table)?.found.proposed_key ?? [];
    return key.length ? remedy("useKey", setPrimaryKey(table, key), { key: key.join(", ") }) : [];
  },
  "foreign_keys.unknown_table": removeRelation,
  "foreign_keys.unknown_column": removeRelation,
  "foreign_keys.columns_differ": removeRelation,
  "foreign_keys.not_unique": removeRelation,
  "foreign_keys.null_in_key": orphans("drop"),
  "foreign_keys.orphans": (about) => [...orphans("null", "drop")(about), ...removeRelation(about)],
  "foreign_keys.types_differ": (about) => {
    const [, table = "", , number = ""] = about.place;
    const key = about.view.relations.find((one) => one.table === table && String(one.number) === number);
    const places = [
      ...(key?.columns ?? []).map((name) => [table, name]),
      ...(key?.references ?? []).map((name) => [key?.parent ?? "", name]),
    ].map(([of = "", name = ""]) => ["tables", of, "columns", name, "type"]);
    const said = places.filter((place) => read(about.document, place) != null);
    const edits = said.map((place) => set(place, undefined));
    return [
      ...(edits.length ? remedy("reset", all(...edits), { field: "type" }) : []),
      ...removeRelation(about),
    ];
  },
  "foreign_keys.duplicate": ({ place: [, table = ""], document, detection }) => {
    const keys = document.tables?.[table]?.foreign_keys ?? [];
    const texts = keys.map((key) => JSON.stringify([key.table, key.columns]));
    const twice = texts.findIndex((text, index) => texts.indexOf(text) < index);
    return twice < 0 ? [] : remedy("removeRelation", removeForeignKey(detection, table, twice), { table });
  },
  "roots.many": (about) => [
    ...remedy("manyRoots", set(["roots"], "many")),
    ...mark({ ...about, place: ["tables"] }),
  ],
  "treatment.all_original": ({ view }) => {
    const table = view.tables.find((one) => one.isIncluded && one.isOriginal)?.name;
    return table ? remedy("unmarkOriginal", setOriginal([table], false), { table }) : [];
  },
  "treatment.original_without_inbound": (about) => [...unmark(about), ...leaveTableOut(about)],
  "treatment.original_references_synthetic": (about) => {
    const [, table = ""] = about.place;
    const parents = about.view.relations
      .filter((one) => one.isActive && one.table === table)
      .map((one) => one.parent)
      .filter((name) => about.view.synthesized.some((one) => one.name === name));
    const able = lookups(about.view);
    return [
      ...unmark(about),
      ...(parents.length > 0 && parents.every((name) => able.includes(name))
        ? remedy("markParentOriginal", setOriginal(parents, true), { table: parents.join(", ") })
        : []),
    ];
  },
  "treatment.original_sensitive": (about) => {
    const [, table = ""] = about.place;
    const columns = personalColumns(about.view.byName.get(table));
    return [
      ...unmark(about),
      ...remedy("notPersonal", setSensitive(table, columns, false), { columns: columns.join(", ") }),
    ];
  },
  "treatment.original_not_small": unmark,
  "treatment.order_type": ({ place }) => remedy("reset", set(place, ""), { field: "order_by" }),
  "treatment.order_option": reset,
  "treatment.option_unused": reset,
  "treatment.text_left_out": asType("categorical"),
  "treatment.key_left_out": reset,
  "treatment.value_unreadable": reset,
  "treatment.bounds_empty": (about) => {
    const column = about.place.slice(0, 4);
    const [low, high] = ["minimum", "maximum"].map((name) => read(about.document, [...column, name]));
    if (low == null || high == null)
      return read(about.document, about.place) == null ? withoutBounds(about) : reset(about);
    return remedy("swapBounds", all(set([...column, "minimum"], high), set([...column, "maximum"], low)));
  },
  "treatment.bounds_without_values": withoutBounds,
  "treatment.never_all": reset,
  "treatment.impute_without_values": reset,
  "treatment.pair_missing": ({ view, place: [, table = "", , column = ""] }) => {
    const pair = (view.byName.get(table)?.columns ?? []).filter(
      (one) => one.name === column || (one.type === "coordinates" && one.settings.pair === column),
    );
    return remedy("asType", all(...pair.map((one) => setType(table, one.name, "numeric"))), {
      type: "numeric",
    });
  },
  "treatment.bounding_box": reset,
  "treatment.rare_label": resetFields("rare_label", "rare_replacement"),
  "treatment.rare_invention": reset,
  "treatment.mostly_rare": asType("identifier"),
  "rules.unknown_column": removeRule,
  "rules.column": removeRule,
  "rules.kind": removeRule,
  "rules.conflict": removeRule,
  "rules.broken": removeRule,
  "settings.not_available": reset,
  "settings.unused": reset,
  "settings.batch_too_large": () => remedy("autoBatching", set(["training", "auto_batching"], undefined)),
  "settings.rows_unknown_table": reset,
  "settings.rows_not_root": reset,
  "settings.rows_too_few": reset,
  "settings.holdout_too_small": write,
  "settings.protection_too_strong": write,
  "settings.workbook_too_small": () => remedy("csv", set(["destination", "format"], undefined)),
};
