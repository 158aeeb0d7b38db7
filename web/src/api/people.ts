import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, take } from "./client";
import { readAll } from "./pages";

export type Person = Schemas["UserView"];

const PEOPLE = ["people"];

/** Read all accounts; an installation has hundreds, so they are searched here. */
export function usePeople() {
  return useQuery({
    queryKey: PEOPLE,
    queryFn: () =>
      readAll((cursor) => take(api.GET("/api/v1/users", { params: { query: { limit: 200, cursor } } }))),
  });
}

function usePeopleChange<Wanted, Answer>(change: (wanted: Wanted) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: PEOPLE }),
  });
}

const of = (id: string) => ({ params: { path: { user_id: id } } });

export function useMakePerson() {
  return usePeopleChange((body: Schemas["NewUser"]) => take(api.POST("/api/v1/users", { body })));
}

export function useChangePerson() {
  return usePeopleChange(({ id, ...body }: { id: string } & Schemas["UserChange"]) =>
    take(api.PATCH("/api/v1/users/{user_id}", { ...of(id), body })),
  );
}

/** Block an account, or let it in again. */
export function useSetBlocked() {
  return usePeopleChange(({ id, blocked }: { id: string; blocked: boolean }) =>
    blocked
      ? take(api.POST("/api/v1/users/{user_id}/block", of(id)))
      : take(api.POST("/api/v1/users/{user_id}/activate", of(id))),
  );
}

export function useSetPassword() {
  return usePeopleChange(({ id, password }: { id: string; password: string }) =>
    take(api.PUT("/api/v1/users/{user_id}/password", { ...of(id), body: { password } })),
  );
}

export function useQuotasOf(id: string) {
  return useQuery({
    queryKey: ["quotas", id],
    queryFn: () => take(api.GET("/api/v1/users/{user_id}/quotas", of(id))),
  });
}

export function useChangeQuota(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({
      resource,
      ...body
    }: { resource: Schemas["QuotaView"]["resource"] } & Schemas["QuotaChange"]) =>
      take(
        api.PUT("/api/v1/users/{user_id}/quotas/{resource}", {
          params: { path: { user_id: id, resource } },
          body,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["quotas"] }),
  });
}
