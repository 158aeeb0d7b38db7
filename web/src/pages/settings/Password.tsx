import { Button, Card, Group, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useChangePassword } from "../../api/account";
import { useUser } from "../../app/session";
import { Problem } from "../../parts/Problem";

const EMPTY = { current: "", new: "", again: "" };

/** Changing one's own password, by who knows the one before. */
export function Password() {
  const { t } = useTranslation();
  const user = useUser();
  const [typed, setTyped] = useState(EMPTY);
  const change = useChangePassword();
  const differs = typed.again !== "" && typed.again !== typed.new;
  const bind = (name: keyof typeof EMPTY) => ({
    value: typed[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setTyped({ ...typed, [name]: event.currentTarget.value }),
    required: true,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.again !== typed.new) return;
    change.mutate(
      { current: typed.current, new: typed.new },
      {
        onSuccess: () => {
          setTyped(EMPTY);
          notifications.show({ message: t("settings.password.done"), color: "teal" });
        },
      },
    );
  };
  return (
    <Card component="section" aria-labelledby="password">
      <form onSubmit={submit}>
        <Stack>
          <Stack gap={2}>
            <Title order={2} size="h4" id="password">
              {t("settings.password.title")}
            </Title>
            <Text c="dimmed" size="sm">
              {t(user.has_password ? "settings.password.about" : "settings.password.none")}
            </Text>
          </Stack>
          {user.has_password && (
            <>
              {/* Password managers store a password under the name beside it. */}
              <input type="hidden" name="username" autoComplete="username" value={user.email} />
              {change.isError && <Problem error={change.error} />}
              <PasswordInput
                label={t("settings.password.current")}
                autoComplete="current-password"
                {...bind("current")}
              />
              <PasswordInput
                label={t("settings.password.new")}
                description={t("settings.password.newHelp")}
                autoComplete="new-password"
                minLength={12}
                {...bind("new")}
              />
              <PasswordInput
                label={t("settings.password.again")}
                autoComplete="new-password"
                error={differs && t("settings.password.differs")}
                {...bind("again")}
              />
              <Group justify="flex-end">
                <Button type="submit" loading={change.isPending}>
                  {t("settings.password.submit")}
                </Button>
              </Group>
            </>
          )}
        </Stack>
      </form>
    </Card>
  );
}
