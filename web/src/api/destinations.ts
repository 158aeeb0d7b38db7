import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, take } from "./client";
import { readAll } from "./pages";

export type Destination = Schemas["DestinationView"];
export type DestinationSettings = Schemas["WrittenDestination"];

const DESTINATIONS = ["destinations"];

export function useDestinations() {
  return useQuery({
    queryKey: DESTINATIONS,
    queryFn: () =>
      readAll((cursor) =>
        take(api.GET("/api/v1/destinations", { params: { query: { limit: 200, cursor } } })),
      ),
  });
}

/** Make a destination, or change the one of an id. */
export function useWriteDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: { id?: string; name: string; settings: DestinationSettings }) =>
      id
        ? take(
            api.PATCH("/api/v1/destinations/{destination_id}", {
              params: { path: { destination_id: id } },
              body,
            }),
          )
        : take(api.POST("/api/v1/destinations", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: DESTINATIONS }),
  });
}

export function useDeleteDestination() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/v1/destinations/{destination_id}", { params: { path: { destination_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: DESTINATIONS }),
  });
}
