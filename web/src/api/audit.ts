import { useMutation } from "@tanstack/react-query";
import { api, type Schemas, take } from "./client";
import { usePages } from "./pages";

export type AuditEntry = Schemas["AuditEntry"];
export type Receipt = Schemas["ReceiptView"];

export type AskedEntries = {
  actor_id?: string;
  action?: string;
  object_id?: string;
  outcome?: AuditEntry["outcome"];
};

export function useAudit(asked: AskedEntries) {
  return usePages(["audit", asked], (cursor) =>
    take(api.GET("/api/v1/audit", { params: { query: { ...asked, cursor } } })),
  );
}

/** Have the server compute all digests again. */
export function useVerifyAudit() {
  return useMutation({ mutationFn: () => take(api.GET("/api/v1/audit/state")) });
}

export function useReceipts(subjectId: string | undefined) {
  return usePages(["receipts", subjectId], (cursor) =>
    take(api.GET("/api/v1/receipts", { params: { query: { subject_id: subjectId, cursor } } })),
  );
}
