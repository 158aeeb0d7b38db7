import { Anchor, Button, Divider, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, useLocation } from "react-router";
import { api, setCsrf, take } from "../../api/client";
import { SESSION, useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { Welcome } from "./Welcome";

/** Signing in by password or by the organisation, then back to where somebody wanted to be. */
export function SignInPage() {
  const { t } = useTranslation();
  const session = useSession();
  const client = useQueryClient();
  const wanted = (useLocation().state as { from?: string } | null)?.from ?? "/syntheses";
  const methods = useQuery({ queryKey: ["sign-in"], queryFn: () => take(api.GET("/api/v1/sign-in")) });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => {
    document.title = `${t("signIn.title")} · kinsynth`;
  }, [t]);
  const enter = useMutation({
    mutationFn: () => take(api.POST("/api/v1/sessions", { body: { email, password } })),
    onSuccess: async (made) => {
      setCsrf(made.csrf);
      await client.resetQueries({ queryKey: SESSION });
    },
  });
  if (session.data) return <Navigate to={wanted} replace />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter.mutate();
  };
  return (
    <Welcome title={t("signIn.title")} about={t("signIn.about")}>
      <form onSubmit={submit}>
        <Stack>
          {enter.isError && <Problem error={enter.error} />}
          <TextInput
            label={t("signIn.email")}
            type="email"
            autoComplete="username"
            required
            data-autofocus
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={t("signIn.password")}
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" fullWidth loading={enter.isPending}>
            {t("signIn.submit")}
          </Button>
        </Stack>
      </form>
      {methods.data?.openid && (
        <>
          <Divider label={t("signIn.or")} />
          <Button component="a" href="/api/v1/sign-in/openid" variant="default" fullWidth>
            {t("signIn.openid")}
          </Button>
        </>
      )}
      {methods.data?.setup && (
        <Anchor component={Link} to="/setup" size="sm" ta="center">
          {t("signIn.first")}
        </Anchor>
      )}
    </Welcome>
  );
}
