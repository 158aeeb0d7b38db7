/** The fields of the document, from its JSON schema: what forms show, and what may be written. */

import type { JsonSchema, Visibility } from "../../../api/documents";
import { type Document, type Place, read } from "./document";

export type { JsonSchema } from "../../../api/documents";

export type Kind = "boolean" | "choice" | "integer" | "number" | "text" | "texts" | "numbers" | "other";

export interface Field {
  name: string;
  title: string;
  help: string;
  kind: Kind;
  isOptional: boolean;
  default: unknown;
  choices: string[];
  isAvailable: boolean;
  availableValues: unknown[] | null;
  types: string[] | null;
  isAdvanced: boolean;
  unit: string;
  visibleWhen: Visibility | null;
  minimum?: number;
  maximum?: number;
  /** Whether the bounds themselves may not be written. */
  isOpen: boolean;
  size: number;
}

/** Give the fields of a group; `*` stands for any name: `["tables", "*", "columns", "*"]`. */
export function fieldsOf(schema: JsonSchema, place: Place): Field[] {
  return Object.entries(findGroup(schema, place).properties ?? {})
    .filter(([, inner]) => !isGroup(schema, inner))
    .map(([name, inner]) => makeField(name, inner));
}

/** Give one field; undefined where the schema has none there. */
export function fieldAt(schema: JsonSchema, place: Place): Field | undefined {
  return fieldsOf(schema, place.slice(0, -1)).find((field) => field.name === place.at(-1));
}

export function titleOf(schema: JsonSchema, place: Place): { title: string; help: string } {
  const group = findGroup(schema, place);
  const name = place.at(-1) ?? "";
  const own = findGroup(schema, place.slice(0, -1)).properties?.[name];
  return { title: own?.title ?? group.title ?? name, help: own?.description ?? group.description ?? "" };
}

function findGroup(schema: JsonSchema, place: Place): JsonSchema {
  let group = schema;
  for (const name of place) {
    const inner = group.properties?.[name] ?? group.additionalProperties;
    group = resolve(schema, typeof inner === "object" ? inner : {});
  }
  return group;
}

function resolve(schema: JsonSchema, inner: JsonSchema): JsonSchema {
  const name = inner.$ref?.split("/").at(-1);
  return name ? (schema.$defs?.[name] ?? {}) : inner;
}

function isGroup(schema: JsonSchema, inner: JsonSchema): boolean {
  return resolve(schema, inner).properties !== undefined || typeof inner.additionalProperties === "object";
}

function makeField(name: string, schema: JsonSchema): Field {
  const isOptional = schema.anyOf?.some((one) => one.type === "null") ?? false;
  const inner = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  return {
    name,
    title: schema.title ?? name,
    help: schema.description ?? "",
    kind: kindOf(inner),
    isOptional,
    default: schema.default ?? (inner.type === "array" && !isOptional ? [] : null),
    choices: (inner.enum ?? []).map(String),
    isAvailable: schema.available ?? true,
    availableValues: schema.available_values ?? null,
    types: schema.types ?? null,
    isAdvanced: schema.advanced ?? false,
    unit: schema.unit ?? "",
    visibleWhen: schema.visible_when ?? null,
    minimum: inner.minimum ?? inner.exclusiveMinimum,
    maximum: inner.maximum ?? inner.exclusiveMaximum,
    isOpen: inner.exclusiveMinimum !== undefined,
    size: inner.prefixItems?.length ?? 0,
  };
}

function kindOf(schema: JsonSchema): Kind {
  if (schema.enum) return "choice";
  if (schema.prefixItems) return "numbers";
  if (schema.type === "array") return schema.items?.type === "string" ? "texts" : "other";
  const plain: Record<string, Kind> = {
    boolean: "boolean",
    integer: "integer",
    number: "number",
    string: "text",
  };
  return plain[schema.type ?? ""] ?? "other";
}

/** What is known of the tables that are chosen. */
export type Facts = Record<string, unknown>;

/** Tell whether a rule holds; `names` are the table and the column that its paths leave open. */
export function holds(
  rule: Visibility | null | undefined,
  schema: JsonSchema,
  document: Document,
  facts: Facts,
  names: Place = [],
): boolean {
  if (!rule) return true;
  if ("all" in rule) return rule.all.every((one) => holds(one, schema, document, facts, names));
  if ("fact" in rule) return facts[rule.fact] === rule.equals;
  const value = valueAt(schema, document, fillIn(rule.field, names));
  return "one_of" in rule ? rule.one_of.includes(value) : value === rule.equals;
}

function fillIn(path: string, names: Place): string[] {
  const left = [...names];
  return path.split(".").map((word) => (/^<.*>$/.test(word) ? (left.shift() ?? "*") : word));
}

/** Give the rule by which a part of the document is shown. */
export function ruleOf(schema: JsonSchema, place: Place): Visibility | null {
  return findGroup(schema, place.slice(0, -1)).properties?.[place.at(-1) ?? ""]?.visible_when ?? null;
}

/** Give what the document says at a place, else the default. */
export function valueAt(schema: JsonSchema, document: Document, place: Place): unknown {
  const said = read(document, place);
  return said === undefined ? fieldAt(schema, place)?.default : said;
}

/** Give the value that a text of the server means: suggestions and remedies write all values as texts. */
export function valueOf(schema: JsonSchema, place: Place, text: string): unknown {
  const kind = fieldAt(schema, place)?.kind ?? (place[1] === "rows" ? "integer" : "text");
  if (kind === "boolean") return text === "true";
  if (kind === "integer" || kind === "number") return Number(text);
  return text === "null" ? null : text;
}
