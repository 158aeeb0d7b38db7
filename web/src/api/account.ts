import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { forget, SESSION } from "../app/session";
import { api, type Schemas, setCsrf, take } from "./client";
import { readAll } from "./pages";

export type Token = Schemas["TokenView"];
export type Quota = Schemas["QuotaView"];

const TOKENS = ["tokens"];
const SESSIONS = ["sessions"];

/** Change one's own name or organisation. */
export function useChangeProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["OwnChange"]) => take(api.PATCH("/api/v1/users/me", { body })),
    onSuccess: (user) => client.setQueryData(SESSION, user),
  });
}

/** Change one's own password; this session goes on under a new cookie, the others end. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PasswordChange"]) => take(api.PUT("/api/v1/users/me/password", { body })),
    onSuccess: (made) => {
      setCsrf(made.csrf);
      return client.invalidateQueries({ queryKey: SESSIONS });
    },
  });
}

export function useOwnQuotas() {
  return useQuery({ queryKey: ["quotas", "me"], queryFn: () => take(api.GET("/api/v1/users/me/quotas")) });
}

export function useTokens() {
  return useQuery({
    queryKey: TOKENS,
    queryFn: () =>
      readAll((cursor) => take(api.GET("/api/v1/tokens", { params: { query: { limit: 200, cursor } } }))),
  });
}

/** Make a token; the answer holds its secret, this once. */
export function useMakeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewToken"]) => take(api.POST("/api/v1/tokens", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: TOKENS }),
  });
}

/** Rename, describe, suspend or reactivate a token. */
export function useChangeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Schemas["TokenChange"]) =>
      take(api.PATCH("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: TOKENS }),
  });
}

export function useDeleteToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: TOKENS }),
  });
}

export function useSessions() {
  return useQuery({ queryKey: SESSIONS, queryFn: () => take(api.GET("/api/v1/sessions")) });
}

/** End all of one's own sessions, this one, too. */
export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => take(api.DELETE("/api/v1/sessions")),
    onSuccess: () => forget(client),
  });
}
