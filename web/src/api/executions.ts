import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, type Schemas, take } from "./client";
import type { Certificate, Evaluation } from "./evaluation";
import { MOST, useListing } from "./pages";

export type Execution = Schemas["ExecutionView"];
export type ExecutionDetail = Schemas["ExecutionDetail"];
export type Status = Execution["status"];
export type Model = Schemas["ModelView"];
export type ModelDetail = Schemas["ModelDetail"];
export type Download = Schemas["DownloadView"];
export type Format = Download["format"];
export type Share = Schemas["ShareView"];
export type StepName = Schemas["Retried"]["first_step"];

export const FORMATS: Format[] = ["csv", "tsv", "xlsx", "ods", "parquet"];
const LIVE_MS = 3_000;
const PREPARING_MS = 1_000;

/** Whether nothing changes an execution any more. */
export function isFinal(status: Status): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

const keys = {
  of: (synthesisId: string) => ["executions", "of", synthesisId],
  one: (id: string) => ["executions", "one", id],
  evaluation: (id: string) => ["executions", "evaluation", id],
  certificate: (id: string) => ["executions", "certificate", id],
  files: (id: string) => ["executions", "files", id],
  rows: (id: string, table: string) => ["executions", "rows", id, table],
  downloads: (id: string) => ["downloads", id],
  models: (synthesisId: string) => ["models", synthesisId],
  model: (id: string) => ["model", id],
  shares: (synthesisId: string) => ["shares", synthesisId],
};

/** The executions of a synthesis, newest first; looked at again while one is not finished. */
export function useExecutions(synthesisId: string) {
  return useListing(
    keys.of(synthesisId),
    (cursor, signal) =>
      take(
        api.GET("/api/v1/syntheses/{synthesis_id}/executions", {
          params: { path: { synthesis_id: synthesisId }, query: { limit: MOST, cursor } },
          signal,
        }),
      ),
    { isLive: (one) => !isFinal(one.status) },
  );
}

/** An execution with the document as it was at its start. */
export function useExecution(id: string | null) {
  return useQuery({
    queryKey: keys.one(id ?? ""),
    queryFn: () => take(api.GET("/api/v1/executions/{execution_id}", at(id))),
    enabled: id !== null,
    refetchInterval: (query) => (query.state.data && !isFinal(query.state.data.status) ? LIVE_MS : false),
  });
}

/** What was measured: never changes once it is there; null where an execution has none. */
export function evaluationOf(id: string | null) {
  return queryOptions({
    queryKey: keys.evaluation(id ?? ""),
    queryFn: () => orNull(take(api.GET("/api/v1/executions/{execution_id}/evaluation", at(id)))),
    enabled: id !== null,
    select: (found) => found as unknown as Evaluation | null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What was proven on the written files; null where an execution has none. */
export function certificateOf(id: string | null) {
  return queryOptions({
    queryKey: keys.certificate(id ?? ""),
    queryFn: () => orNull(take(api.GET("/api/v1/executions/{execution_id}/certificate", at(id)))),
    enabled: id !== null,
    select: (found) => found as unknown as Certificate | null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The files that an execution made: tables and reports. */
export function useFiles(id: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.files(id),
    queryFn: () => take(api.GET("/api/v1/executions/{execution_id}/files", at(id))),
    enabled,
  });
}

/** Some rows of a synthetic table. */
export function readRows(id: string, table: string, offset: number, limit: number, signal?: AbortSignal) {
  const { params } = at(id);
  return take(
    api.GET("/api/v1/executions/{execution_id}/preview", {
      params: { ...params, query: { table, offset, limit } },
      signal,
    }),
  );
}

/** Names what is read of a table. */
export const rowsKey = keys.rows;

/** The first rows of a synthetic table: its columns, and how many rows it has. */
export function useTable(id: string, table: string) {
  return useQuery({
    queryKey: keys.rows(id, table),
    queryFn: () => readRows(id, table, 0, 1),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Where the report stands, to be opened in a tab of its own. */
export function reportPath(id: string): string {
  return `/api/v1/executions/${id}/report`;
}

/** What a new run would find: its rows, how long it takes, what stands in its way. */
export function checkOf(synthesisId: string, version: number) {
  return queryOptions({
    queryKey: ["checks", synthesisId, version],
    queryFn: () =>
      take(
        api.POST("/api/v1/syntheses/{synthesis_id}/checks", {
          params: { path: { synthesis_id: synthesisId } },
          body: { source_version: null },
        }),
      ),
    staleTime: 60_000,
    retry: false,
  });
}

/** Starts a run, or a drawing from a stored model. */
export function useStart(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewRun"] | Schemas["NewDrawing"]) =>
      take(
        api.POST("/api/v1/syntheses/{synthesis_id}/executions", {
          params: { path: { synthesis_id: synthesisId } },
          body,
        }),
      ),
    onSuccess: (made) => keep(client, made),
  });
}

export function useRename() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      take(api.PATCH("/api/v1/executions/{execution_id}", { ...at(id), body: { name } })),
    onSuccess: (changed) => keep(client, changed),
  });
}

export function useCancel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => take(api.POST("/api/v1/executions/{execution_id}/cancel", at(id))),
    onSuccess: (changed) => keep(client, changed),
  });
}

export function useResume() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => take(api.POST("/api/v1/executions/{execution_id}/resume", at(id))),
    onSuccess: (changed) => keep(client, changed),
  });
}

/** Does an execution that ended again from a step on, in a new one. */
export function useRetry() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas["Retried"]) =>
      take(api.POST("/api/v1/executions/{execution_id}/retry", { ...at(id), body })),
    onSuccess: (made) => keep(client, made),
  });
}

export function useDelete(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/api/v1/executions/{execution_id}", at(id))),
    onSuccess: (_nothing, id) => {
      client.removeQueries({ queryKey: keys.one(id) });
      return Promise.all([
        client.invalidateQueries({ queryKey: keys.of(synthesisId) }),
        client.invalidateQueries({ queryKey: keys.models(synthesisId) }),
      ]);
    },
  });
}

/** The stored models of a synthesis, newest first. */
export function useModels(synthesisId: string) {
  return useQuery({
    queryKey: keys.models(synthesisId),
    queryFn: () =>
      take(api.GET("/api/v1/models", { params: { query: { synthesis_id: synthesisId, limit: 200 } } })),
  });
}

/** A stored model with what can be asked of it: that never changes. */
export function useModel(id: string) {
  return useQuery({
    queryKey: keys.model(id),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => take(api.GET("/api/v1/models/{model_id}", { params: { path: { model_id: id } } })),
  });
}

export function useRenameModel(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      take(api.PATCH("/api/v1/models/{model_id}", { params: { path: { model_id: id } }, body: { name } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.models(synthesisId) }),
  });
}

export function useDeleteModel(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/v1/models/{model_id}", { params: { path: { model_id: id } } })),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.models(synthesisId) }),
        client.invalidateQueries({ queryKey: keys.of(synthesisId) }),
      ]),
  });
}

/** The downloads of an execution; looked at again while one is prepared. */
export function useDownloads(id: string) {
  return useQuery({
    queryKey: keys.downloads(id),
    queryFn: () => take(api.GET("/api/v1/executions/{execution_id}/downloads", at(id))),
    refetchInterval: (query) =>
      query.state.data?.some((one) => one.status === "preparing") ? PREPARING_MS : false,
  });
}

export function usePrepare(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (format: Format) =>
      take(api.POST("/api/v1/executions/{execution_id}/downloads", { ...at(id), body: { format } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.downloads(id) }),
  });
}

/** Gives an address that gives the file once. */
export function readTicket(downloadId: string): Promise<Schemas["TicketView"]> {
  return take(
    api.POST("/api/v1/downloads/{download_id}/ticket", { params: { path: { download_id: downloadId } } }),
  );
}

/** Who else sees a synthesis, and what they may do. */
export function useShares(synthesisId: string) {
  return useQuery({
    queryKey: keys.shares(synthesisId),
    queryFn: () =>
      take(
        api.GET("/api/v1/syntheses/{synthesis_id}/shares", {
          params: { path: { synthesis_id: synthesisId } },
        }),
      ),
  });
}

export function useShare(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewShare"]) =>
      take(
        api.POST("/api/v1/syntheses/{synthesis_id}/shares", {
          params: { path: { synthesis_id: synthesisId } },
          body,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.shares(synthesisId) }),
  });
}

export function useUnshare(synthesisId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (userId: string) =>
      take(
        api.DELETE("/api/v1/syntheses/{synthesis_id}/shares/{user_id}", {
          params: { path: { synthesis_id: synthesisId, user_id: userId } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.shares(synthesisId) }),
  });
}

function at(id: string | null) {
  return { params: { path: { execution_id: id ?? "" } } };
}

/** Remember an execution as the server just gave it, and have the lists it stands in looked at again. */
function keep(client: QueryClient, execution: ExecutionDetail): Promise<void> {
  client.setQueryData(keys.one(execution.id), execution);
  return client.invalidateQueries({ queryKey: keys.of(execution.synthesis_id) });
}

/** Tell everybody that an execution ended: what it made is there now. */
export function refresh(client: QueryClient, execution: Execution): Promise<unknown> {
  const changed = [
    keys.of(execution.synthesis_id),
    keys.one(execution.id),
    keys.models(execution.synthesis_id),
    keys.evaluation(execution.id),
    keys.certificate(execution.id),
    keys.files(execution.id),
  ];
  return Promise.all(changed.map((queryKey) => client.invalidateQueries({ queryKey })));
}

async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** The execution whose scores speak of an execution: its own; for a drawing those of the training it draws from. */
export function scoresFrom(execution: Execution, executions: Execution[]): string | null {
  if (execution.kind === "run") return execution.id;
  return executions.find((one) => one.trained_model_id === execution.model_id)?.id ?? null;
}
