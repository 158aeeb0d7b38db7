import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, type Schemas, take } from "./client";
import type { Detection } from "./sources";
import type { SynthesisDetail } from "./syntheses";

export type Checked = Schemas["CheckView"];
export type Assessment = Schemas["AssessmentView"];

// The document as plain data: what it says, not what it leaves to defaults

export interface ForeignKey {
  columns: string[];
  table: string;
  references?: string[];
  orphans?: "refuse" | "null" | "drop";
  owner?: boolean | null;
  [other: string]: unknown;
}

export interface ColumnSettings {
  include?: boolean;
  type?: string | null;
  treatment?: string;
  sensitive?: boolean;
  [option: string]: unknown;
}

export interface Rule {
  kind: string;
  columns: string[];
  enabled?: boolean;
  [other: string]: unknown;
}

export interface TableSettings {
  include?: boolean;
  original?: boolean;
  primary_key?: string[] | null;
  foreign_keys?: ForeignKey[] | null;
  order_by?: string | null;
  rules?: Rule[] | null;
  columns?: Record<string, ColumnSettings>;
  [other: string]: unknown;
}

export interface Document {
  name?: string;
  tables?: Record<string, TableSettings>;
  [other: string]: unknown;
}

// Its schema

/** When a form shows a field or a part: what a field says, or a fact about what is chosen of the source. */
export type Visibility =
  | { field: string; equals: unknown }
  | { field: string; one_of: unknown[] }
  | { fact: string; equals: unknown }
  | { all: Visibility[] };

export interface JsonSchema {
  title?: string;
  description?: string;
  default?: unknown;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  writeOnly?: boolean;
  available?: boolean;
  available_values?: unknown[];
  types?: string[];
  advanced?: boolean;
  unit?: string;
  visible_when?: Visibility;
}

const at = (synthesisId: string) => ({ params: { path: { synthesis_id: synthesisId } } });

/** What the source of a synthesis holds, read as a document reads it, and nothing of it declared. */
export function useDraftDetection(synthesisId: string, source: unknown, enabled: boolean) {
  return useQuery({
    queryKey: ["drafts", synthesisId, "detection", source],
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }): Promise<Detection> =>
      take(
        api.POST("/api/v1/syntheses/{synthesis_id}/draft/detection", {
          ...at(synthesisId),
          body: { document: source === undefined ? {} : { source }, source_version: null },
          signal,
        }),
      ),
  });
}

/** Check a document that is not saved. */
export function checkDraft(synthesisId: string, document: Document, signal: AbortSignal): Promise<Checked> {
  return take(
    api.POST("/api/v1/syntheses/{synthesis_id}/draft/checks", {
      ...at(synthesisId),
      body: { document, source_version: null },
      signal,
    }),
  );
}

/** Give a document as YAML with comments. */
export async function writeYaml(synthesisId: string, document: Document): Promise<string> {
  const answer = api.POST("/api/v1/syntheses/{synthesis_id}/draft/yaml", {
    ...at(synthesisId),
    body: { document },
    parseAs: "text",
  });
  return String(await take<unknown>(answer));
}

/** Give the document that a text in YAML says. */
export async function readYaml(synthesisId: string, text: string): Promise<Document> {
  const answer = api.POST("/api/v1/syntheses/{synthesis_id}/draft/document", {
    ...at(synthesisId),
    body: { text },
  });
  return (await take(answer)).document;
}

/** Write a new version of the document; refused where somebody else wrote one meanwhile. */
export function saveDocument(
  synthesisId: string,
  document: Document,
  version: number,
): Promise<SynthesisDetail> {
  return take(
    api.PUT("/api/v1/syntheses/{synthesis_id}", {
      ...at(synthesisId),
      body: { document, version, source_id: null },
    }),
  );
}

/** The form of documents: titles, help, bounds and defaults of all fields. */
export const documentSchema = queryOptions({
  queryKey: ["document-schema"],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<JsonSchema> => (await take(api.GET("/api/v1/document-schema"))) as JsonSchema,
});

/** Start an execution of the newest version: it learns from the source, then draws. */
export function startRun(synthesisId: string): Promise<Schemas["ExecutionDetail"]> {
  return take(
    api.POST("/api/v1/syntheses/{synthesis_id}/executions", {
      ...at(synthesisId),
      body: { kind: "run" } as never,
    }),
  );
}
