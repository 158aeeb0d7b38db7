import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, setCsrf, take } from "../../api/client";
import { SESSION } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { Welcome } from "./Welcome";

/** The first start: the token of the console makes the first account, which is signed in at once. */
export function SetupPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [claim, setClaim] = useState({ token: "", name: "", email: "", company: "", password: "" });
  useEffect(() => {
    document.title = `${t("setup.title")} · kinsynth`;
  }, [t]);
  const make = useMutation({
    mutationFn: async () => {
      await take(api.POST("/api/v1/setup", { body: claim }));
      const { email, password } = claim;
      return take(api.POST("/api/v1/sessions", { body: { email, password } }));
    },
    onSuccess: async (made) => {
      setCsrf(made.csrf);
      await client.resetQueries({ queryKey: SESSION });
      navigate("/syntheses");
    },
  });
  const bind = (name: keyof typeof claim) => ({
    value: claim[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setClaim({ ...claim, [name]: event.currentTarget.value }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Welcome title={t("setup.title")} about={t("setup.about")}>
      <form onSubmit={submit}>
        <Stack>
          {make.isError && <Problem error={make.error} />}
          <TextInput
            label={t("setup.token")}
            description={t("setup.tokenHelp")}
            required
            autoFocus
            {...bind("token")}
          />
          <TextInput label={t("setup.name")} autoComplete="name" required {...bind("name")} />
          <TextInput
            label={t("signIn.email")}
            type="email"
            autoComplete="username"
            required
            {...bind("email")}
          />
          <TextInput label={t("setup.company")} autoComplete="organization" {...bind("company")} />
          <PasswordInput
            label={t("signIn.password")}
            description={t("setup.passwordHelp")}
            autoComplete="new-password"
            required
            minLength={12}
            {...bind("password")}
          />
          <Button type="submit" fullWidth loading={make.isPending}>
            {t("setup.submit")}
          </Button>
        </Stack>
      </form>
    </Welcome>
  );
}
