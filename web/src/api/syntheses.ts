import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, take } from "./client";
import { isFinal } from "./executions";
import { MOST, useListing } from "./pages";

export type Synthesis = Schemas["SynthesisView"];
export type SynthesisDetail = Schemas["SynthesisDetail"];

const SYNTHESES = ["syntheses"];
/** The listing of syntheses. */
export const SYNTHESIS_LIST = [...SYNTHESES, "list"];
export const synthesisKey = (synthesisId: string) => [...SYNTHESES, synthesisId];
const at = (synthesisId: string) => ({ params: { path: { synthesis_id: synthesisId } } });

/** What one owns or has a share of, the newest first; looked at again while an execution goes on. */
export function useSyntheses() {
  return useListing(
    SYNTHESIS_LIST,
    (cursor, signal) =>
      take(api.GET("/api/v1/syntheses", { params: { query: { limit: MOST, cursor } }, signal })),
    { isLive: (one) => one.execution_status !== null && !isFinal(one.execution_status) },
  );
}

/** A synthesis with the newest version of its document. */
export function useSynthesis(synthesisId: string | null | undefined) {
  return useQuery({
    queryKey: synthesisKey(synthesisId ?? ""),
    enabled: synthesisId != null,
    queryFn: () => take(api.GET("/api/v1/syntheses/{synthesis_id}", at(synthesisId ?? ""))),
  });
}

/** Makes a synthesis of what is detected in a source. */
export function useCreateSynthesis() {
  return useChange((wanted: { source_id: string; name: string }) =>
    take(api.POST("/api/v1/syntheses", { body: { ...wanted, document: null } })),
  );
}

/** Makes a synthesis of a document in YAML. */
export function useImportSynthesis() {
  return useChange((wanted: { source_id: string; text: string; name: string }) =>
    take(api.POST("/api/v1/syntheses/import", { body: wanted })),
  );
}

export function useCloneSynthesis() {
  return useChange(({ id, name }: { id: string; name: string }) =>
    take(api.POST("/api/v1/syntheses/{synthesis_id}/clone", { ...at(id), body: { name } })),
  );
}

export function useRenameSynthesis() {
  const client = useQueryClient();
  return useChange(
    ({ id, name }: { id: string; name: string }) =>
      take(api.PATCH("/api/v1/syntheses/{synthesis_id}", { ...at(id), body: { name } })),
    (synthesis) => client.setQueryData(synthesisKey(synthesis.id), synthesis),
  );
}

export function useDeleteSynthesis() {
  const client = useQueryClient();
  return useChange(
    (id: string) => take(api.DELETE("/api/v1/syntheses/{synthesis_id}", at(id))),
    (_, id) => client.removeQueries({ queryKey: synthesisKey(id), type: "inactive" }),
  );
}

/** Give the newest document as YAML. */
export async function exportSynthesis(synthesisId: string): Promise<string> {
  const answer = api.GET("/api/v1/syntheses/{synthesis_id}/export", { ...at(synthesisId), parseAs: "text" });
  return String(await take<unknown>(answer));
}

/** A change after which the listing is read again. */
function useChange<Wanted, Made>(
  mutationFn: (wanted: Wanted) => Promise<Made>,
  onSuccess?: (made: Made, wanted: Wanted) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess,
    onSettled: () => client.invalidateQueries({ queryKey: SYNTHESIS_LIST }),
  });
}
