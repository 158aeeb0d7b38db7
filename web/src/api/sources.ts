import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, take, upload } from "./client";
import { MOST, useListing } from "./pages";

export type Source = Schemas["SourceView"];
export type SourceVersion = Schemas["VersionView"];
export type Detection = Schemas["DetectionView"];
export type DetectedTable = Schemas["TableView"];
export type DetectedColumn = Schemas["ColumnView"];

const SOURCES = ["sources"];
/** The listing of sources. */
export const SOURCE_LIST = [...SOURCES, "list"];
export const sourceKey = (sourceId: string) => [...SOURCES, sourceId];
const versionKey = (sourceId: string, number: number) => [...sourceKey(sourceId), "versions", number];

/** One's own sources, the newest first. */
export function useSources() {
  return useListing(SOURCE_LIST, (cursor, signal) =>
    take(api.GET("/api/v1/sources", { params: { query: { limit: MOST, cursor } }, signal })),
  );
}

export function useSource(sourceId: string | null | undefined) {
  return useQuery({
    queryKey: sourceKey(sourceId ?? ""),
    enabled: sourceId != null,
    queryFn: () =>
      take(api.GET("/api/v1/sources/{source_id}", { params: { path: { source_id: sourceId ?? "" } } })),
  });
}

/** The versions of a source, the newest first. */
export function useSourceVersions(sourceId: string) {
  return useListing([...sourceKey(sourceId), "versions"], (cursor, signal) =>
    take(
      api.GET("/api/v1/sources/{source_id}/versions", {
        params: { path: { source_id: sourceId }, query: { limit: MOST, cursor } },
        signal,
      }),
    ),
  );
}

/** What a sealed version holds: it never changes, so it is asked for once. */
export function useDetection(sourceId: string | null | undefined, number: number | null | undefined) {
  return useQuery({
    queryKey: [...versionKey(sourceId ?? "", number ?? 0), "detection"],
    enabled: Boolean(sourceId && number),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      take(
        api.POST("/api/v1/sources/{source_id}/versions/{number}/detection", {
          params: { path: { source_id: sourceId ?? "", number: number ?? 0 } },
          body: { document: {} },
          signal,
        }),
      ),
  });
}

/** What a grid needs to read a table of a sealed version. */
export function sourceRows(sourceId: string, number: number, table: string) {
  return {
    queryKey: [...versionKey(sourceId, number), "tables", table],
    fetchRows: async (offset: number, limit: number, signal: AbortSignal) =>
      (
        await take(
          api.GET("/api/v1/sources/{source_id}/versions/{number}/preview", {
            params: { path: { source_id: sourceId, number }, query: { table, offset, limit } },
            signal,
          }),
        )
      ).rows,
  };
}

export function useRenameSource() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      take(api.PATCH("/api/v1/sources/{source_id}", { params: { path: { source_id: id } }, body: { name } })),
    onSuccess: (source) => client.setQueryData(sourceKey(source.id), source),
    onSettled: () => client.invalidateQueries({ queryKey: SOURCE_LIST }),
  });
}

export function useDeleteSource() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: deleteSource,
    onSuccess: (_, id) => client.removeQueries({ queryKey: sourceKey(id), type: "inactive" }),
    onSettled: () => client.invalidateQueries({ queryKey: SOURCE_LIST }),
  });
}

// What an upload does, one call each

export function createSource(name: string): Promise<Source> {
  return take(api.POST("/api/v1/sources", { body: { name } }));
}

export function deleteSource(sourceId: string): Promise<unknown> {
  return take(api.DELETE("/api/v1/sources/{source_id}", { params: { path: { source_id: sourceId } } }));
}

export function openVersion(sourceId: string, copyFiles: boolean): Promise<SourceVersion> {
  return take(
    api.POST("/api/v1/sources/{source_id}/versions", {
      params: { path: { source_id: sourceId } },
      body: { copy_files: copyFiles },
    }),
  );
}

export function putFile(
  version: { source_id: string; number: number },
  name: string,
  file: Blob,
  onShare: (share: number) => void,
  signal: AbortSignal,
): Promise<Schemas["FileView"]> {
  const place = `/api/v1/sources/${version.source_id}/versions/${version.number}/files/`;
  return upload(place + encodeURIComponent(name), file, onShare, signal);
}

export function removeFile(version: { source_id: string; number: number }, name: string): Promise<unknown> {
  return take(
    api.DELETE("/api/v1/sources/{source_id}/versions/{number}/files/{name}", {
      params: { path: { ...version, name } },
    }),
  );
}

export function sealVersion(version: { source_id: string; number: number }): Promise<SourceVersion> {
  return take(
    api.POST("/api/v1/sources/{source_id}/versions/{number}/seal", { params: { path: { ...version } } }),
  );
}
