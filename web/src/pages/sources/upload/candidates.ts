/** Files that somebody chose, judged by name and first bytes as the server will judge them. */

export type Refusal = "hidden" | "name" | "compressed" | "kind" | "empty" | "content" | "encrypted";

export interface Candidate {
  /** Name in the source: unique among the candidates. */
  name: string;
  file: File;
  refusal: Refusal | null;
}

const TEXT = "text";
const KINDS: Record<string, string> = {
  csv: TEXT,
  tsv: TEXT,
  tab: TEXT,
  parquet: "parquet",
  xlsx: "zip",
  xlsm: "zip",
  xlsb: "zip",
  ods: "zip",
  xls: "ole",
};
export const ENDINGS = Object.keys(KINDS);
const COMPRESSED = new Set("gz bz2 zst xz lz4 br z zip 7z rar tar tgz".split(" "));
const MOST_NAME_BYTES = 200;
const START_BYTES = 512;
const SIGNATURES: [string, string][] = [
  ["PAR1", "parquet"],
  ["PK\x03\x04", "zip"],
  ["PK\x05\x06", "zip"],
  ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"],
  ["\x1f\x8b", "gzip"],
  ["BZh", "bzip2"],
  ["\x28\xb5\x2f\xfd", "zstandard"],
  ["\xfd7zXZ\0", "xz"],
  ["%PDF-", "pdf"],
  ["\x89PNG", "picture"],
  ["\xff\xd8\xff", "picture"],
  ["GIF8", "picture"],
  ["SQLite format 3\0", "sqlite"],
];

function endingOf(name: string): string {
  return name.includes(".") ? (name.split(".").at(-1) ?? "").toLowerCase() : "";
}

/** Say why a file of this name and size is not read; null where it is. */
export function judgeName(name: string, size: number): Refusal | null {
  if (name.startsWith(".")) return "hidden";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (name !== name.trim() || /[/\\\x00-\x1f\x7f]/.test(name)) return "name";
  if (new TextEncoder().encode(name).length > MOST_NAME_BYTES) return "name";
  if (COMPRESSED.has(endingOf(name))) return "compressed";
  if (!(endingOf(name) in KINDS)) return "kind";
  return size === 0 ? "empty" : null;
}

/** Say whether the first bytes of a file are of another kind than its ending. */
export function judgeStart(name: string, start: Uint8Array): Refusal | null {
  const text = String.fromCharCode(...start.subarray(0, 16));
  const kind = SIGNATURES.find(([signature]) => text.startsWith(signature))?.[1] ?? TEXT;
  const expected = KINDS[endingOf(name)];
  if (expected === "zip" && kind === "ole") return "encrypted"; // its container is of the old kind
  return kind === expected ? null : "content";
}

/** Name the files of folders: by their own names, with the folder's before where two are alike. */
export function nameFiles(paths: readonly string[]): string[] {
  const parts = paths.map((path) =>
    path
      .normalize("NFC")
      .split("/")
      .filter((part) => part && part !== "."),
  );
  const count = new Map<string, number>();
  for (const part of parts) count.set(part.at(-1) ?? "", (count.get(part.at(-1) ?? "") ?? 0) + 1);
  return parts.map((part) =>
    (count.get(part.at(-1) ?? "") ?? 0) > 1 && part.length > 1
      ? part.slice(-2).join("_")
      : (part.at(-1) ?? ""),
  );
}

/** Where a file lies in the folder it was chosen with. */
export function pathOf(file: File & { path?: string }): string {
  return file.webkitRelativePath || file.path || file.name;
}

/** Judge files; later ones take the place of those of the same name. */
export async function judge(files: readonly File[], before: readonly Candidate[]): Promise<Candidate[]> {
  const names = nameFiles(files.map(pathOf));
  const judged = await Promise.all(
    files.map(async (file, index) => {
      const name = names[index] ?? file.name;
      const refusal = judgeName(name, file.size);
      if (refusal) return { name, file, refusal };
      const start = new Uint8Array(await file.slice(0, START_BYTES).arrayBuffer());
      return { name, file, refusal: judgeStart(name, start) };
    }),
  );
  const all = new Map([...before, ...judged].map((one) => [one.name, one]));
  return [...all.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** Propose a name for a source: that of the folder, or of the only file. */
export function proposeName(files: readonly File[]): string {
  const folders = pathOf(files[0] ?? new File([], ""))
    .split("/")
    .filter((part) => part && part !== ".");
  if (folders.length > 1) return folders[0] ?? "";
  return files.length === 1 ? (files[0]?.name.replace(/\.[^.]+$/, "") ?? "") : "";
}
