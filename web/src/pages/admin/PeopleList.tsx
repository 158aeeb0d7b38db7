import { Avatar, Badge, Group, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { IconGauge, IconLock, IconLockOpen, IconPassword, IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Person, useSetBlocked } from "../../api/people";
import { useUser } from "../../app/session";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { type RowAction, RowMenu } from "../../parts/RowMenu";
import { useFormat } from "../../words/format";
import { PasswordDialog } from "./PasswordDialog";
import { PersonDialog } from "./PersonDialog";
import { QuotasDialog } from "./QuotasDialog";

type Opened = { person: Person; dialog: "edit" | "password" | "quotas" };

/** Accounts with what an administrator does with each. */
export function PeopleList({ people }: { people: Person[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [opened, setOpened] = useState<Opened | null>(null);
  const blocking = useBlocking();
  const close = () => setOpened(null);
  const actions = (person: Person): RowAction[] => [
    {
      label: t("admin.people.edit"),
      icon: <IconPencil size={16} />,
      act: () => setOpened({ person, dialog: "edit" }),
    },
    {
      label: t("admin.people.quotas"),
      icon: <IconGauge size={16} />,
      act: () => setOpened({ person, dialog: "quotas" }),
    },
    {
      label: t("admin.people.setPassword"),
      icon: <IconPassword size={16} />,
      act: () => setOpened({ person, dialog: "password" }),
    },
    person.status === "active"
      ? {
          label: t("admin.people.block"),
          icon: <IconLock size={16} />,
          act: () => blocking.askBlock(person),
          isGrave: true,
        }
      : {
          label: t("admin.people.activate"),
          icon: <IconLockOpen size={16} />,
          act: () => blocking.activate(person),
        },
  ];
  return (
    <>
      {blocking.error && <Problem error={blocking.error} />}
      <Listing
        label={t("admin.tabs.people")}
        rows={people}
        id={(person) => person.id}
        columns={[
          { key: "person", label: t("admin.people.person"), render: (person) => <Who person={person} /> },
          { key: "company", label: t("admin.people.company"), render: (person) => person.company || "–" },
          {
            key: "role",
            label: t("admin.people.role"),
            render: (person) => (
              <Badge variant="light" color={person.role === "admin" ? undefined : "gray"}>
                {t(`admin.people.roles.${person.role}`)}
              </Badge>
            ),
          },
          {
            key: "status",
            label: t("admin.people.status"),
            render: (person) => (
              <Badge variant="light" color={person.status === "active" ? "teal" : "red"}>
                {t(`admin.people.${person.status}`)}
              </Badge>
            ),
          },
          {
            key: "made",
            label: t("admin.people.made"),
            render: (person) => format.date(person.created_at),
          },
        ]}
        actions={(person) => <RowMenu name={person.name} actions={actions(person)} />}
      />
      {opened?.dialog === "edit" && <PersonDialog person={opened.person} onClose={close} />}
      {opened?.dialog === "password" && <PasswordDialog person={opened.person} onClose={close} />}
      {opened?.dialog === "quotas" && <QuotasDialog person={opened.person} onClose={close} />}
    </>
  );
}

function Who({ person }: { person: Person }) {
  const { t } = useTranslation();
  const user = useUser();
  return (
    <Group wrap="nowrap" gap="sm">
      <Avatar name={person.name} color="initials" radius="xl" size={36} />
      <Stack gap={0} miw={0}>
        <Text fw={600} truncate>
          {person.name}
          {person.id === user.id && (
            <Text span c="dimmed" fw={400}>
              {` · ${t("admin.people.you")}`}
            </Text>
          )}
        </Text>
        <Text size="sm" c="dimmed" truncate>
          {person.email}
        </Text>
      </Stack>
    </Group>
  );
}

/** Blocking asks first; letting in again does not. */
function useBlocking() {
  const { t } = useTranslation();
  const change = useSetBlocked();
  const set = (person: Person, blocked: boolean) =>
    change.mutate(
      { id: person.id, blocked },
      {
        onSuccess: () =>
          notifications.show({
            message: t(blocked ? "admin.people.blockedDone" : "admin.people.activatedDone", {
              name: person.name,
            }),
          }),
      },
    );
  const askBlock = (person: Person) =>
    modals.openConfirmModal({
      title: t("admin.people.blockTitle", { name: person.name }),
      children: <Text size="sm">{t("admin.people.blockAbout")}</Text>,
      labels: { confirm: t("admin.people.block"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => set(person, true),
    });
  return { error: change.error, askBlock, activate: (person: Person) => set(person, false) };
}
