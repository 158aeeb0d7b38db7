import { Avatar, Badge, Button, Card, Group, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useChangeProfile } from "../../api/account";
import { useUser } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";
import { Password } from "./Password";

export function Profile() {
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg" maw={1120} style={{ alignItems: "start" }}>
      <AboutYou />
      <Password />
    </SimpleGrid>
  );
}

function AboutYou() {
  const { t } = useTranslation();
  const user = useUser();
  const format = useFormat();
  const [name, setName] = useState(user.name);
  const [company, setCompany] = useState(user.company);
  const change = useChangeProfile();
  const isSame = name.trim() === user.name && company.trim() === user.company;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ name, company }, { onSuccess: () => notifications.show({ message: t("common.saved") }) });
  };
  return (
    <Card component="section" aria-labelledby="about-you">
      <form onSubmit={submit}>
        <Stack>
          <Title order={2} size="h4" id="about-you">
            {t("settings.profile.title")}
          </Title>
          <Group wrap="nowrap">
            <Avatar name={user.name} color="initials" size="lg" radius="xl" />
            <Stack gap={4} miw={0}>
              <Text fw={600} truncate>
                {user.name}
              </Text>
              <Group gap="xs">
                <Badge variant="light">{t(`settings.profile.${user.role}`)}</Badge>
                <Text size="sm" c="dimmed">
                  {t("settings.profile.since", { date: format.date(user.created_at) })}
                </Text>
              </Group>
            </Stack>
          </Group>
          {change.isError && <Problem error={change.error} />}
          <TextInput
            label={t("settings.profile.name")}
            required
            maxLength={200}
            autoComplete="name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label={t("settings.profile.company")}
            maxLength={200}
            autoComplete="organization"
            value={company}
            onChange={(event) => setCompany(event.currentTarget.value)}
          />
          <TextInput
            label={t("settings.profile.email")}
            description={t("settings.profile.emailHelp")}
            value={user.email}
            readOnly
            variant="filled"
          />
          <Group justify="flex-end">
            <Button type="submit" disabled={isSame} loading={change.isPending}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
