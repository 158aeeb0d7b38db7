import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect } from "react";
import { Navigate, useLocation } from "react-router";
import { ApiError, api, type Schemas, setCsrf, take, whenSignedOut } from "../api/client";
import { PageLoader } from "../parts/PageLoader";

export type User = Schemas["UserView"];

const Current = createContext<User | null>(null);

/** The person who is signed in; only below `SignedIn`. */
export function useUser(): User {
  const user = useContext(Current);
  if (!user) throw new Error("useUser outside of SignedIn");
  return user;
}

async function readSession(): Promise<User | null> {
  try {
    setCsrf((await take(api.GET("/api/v1/sessions/current"))).csrf);
    return await take(api.GET("/api/v1/users/me"));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export const SESSION = ["session"];

export function useSession() {
  return useQuery({ queryKey: SESSION, queryFn: readSession, staleTime: Number.POSITIVE_INFINITY });
}

/** Shows its children to people who are signed in, and others the sign-in, which brings them back. */
export function SignedIn({ children }: { children: ReactNode }) {
  const session = useSession();
  const client = useQueryClient();
  const place = useLocation();
  useEffect(() => whenSignedOut(() => client.setQueryData(SESSION, null)), [client]);
  if (session.isError) throw session.error;
  if (session.isPending) return <PageLoader />;
  if (!session.data)
    return <Navigate to="/sign-in" replace state={{ from: place.pathname + place.search }} />;
  return <Current.Provider value={session.data}>{children}</Current.Provider>;
}

/** Gives what ends the session here and on the server; nothing of it stays in memory. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await take(api.DELETE("/api/v1/sessions/current"));
    forget(client);
  };
}

/** Forget the session and all that was read in it; who watches the session is told, so it stays watched. */
export function forget(client: QueryClient): void {
  setCsrf("");
  client.setQueryData(SESSION, null);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
}
