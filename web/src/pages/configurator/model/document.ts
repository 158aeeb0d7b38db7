/** The synthesis document as plain data: what it says, and places in it. Nothing here changes its arguments. */

export type { ColumnSettings, Document, ForeignKey, Rule, TableSettings } from "../../../api/documents";

export type Place = readonly string[];
type Node = Record<string, unknown> | unknown[];

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

/** Give what stands at a place; undefined where nothing does. */
export function read(document: unknown, place: Place): unknown {
  let node = document;
  for (const name of place) {
    if (!isNode(node) || !Object.hasOwn(node, name)) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return node;
}

/** Put a value at a place; undefined takes away what stands there, and groups that are empty then. */
export function write<T>(document: T, place: Place, value: unknown): T {
  return put(document, place, value) as T;
}

function put(node: unknown, place: Place, value: unknown): unknown {
  const [name, ...rest] = place;
  if (name === undefined) return value;
  if (Array.isArray(node)) return putItem(node, Number(name), rest, value);
  const group = isNode(node) ? (node as Record<string, unknown>) : {};
  const made = put(Object.hasOwn(group, name) ? group[name] : undefined, rest, value);
  if (made === undefined || (value === undefined && isEmpty(made))) {
    const { [name]: _gone, ...others } = group;
    return others;
  }
  return { ...group, [name]: made };
}

function putItem(list: unknown[], index: number, rest: Place, value: unknown): unknown[] {
  const made = put(list[index], rest, value);
  return made === undefined
    ? list.filter((_, number) => number !== index)
    : list.map((item, number) => (number === index ? made : item));
}

function isEmpty(value: unknown): boolean {
  return isNode(value) && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** Tell whether two pieces of plain data say the same, in whatever order their fields stand. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (!isNode(left) || !isNode(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && same(read(left, [name]), read(right, [name])))
  );
}

/** Split a path at its dots; a name with a dot stands in double quotes, a quote in it is doubled. */
export function splitPath(path: string): string[] {
  const pieces = [...path.matchAll(/((?:"(?:[^"]|"")*"|[^."])*)(?:\.|$)/g)].map((found) => found[1] ?? "");
  const words = path && !path.endsWith(".") ? pieces.slice(0, -1) : pieces;
  return words.map((word) =>
    word.length > 1 && word.startsWith('"') && word.endsWith('"')
      ? word.slice(1, -1).replaceAll('""', '"')
      : word,
  );
}
