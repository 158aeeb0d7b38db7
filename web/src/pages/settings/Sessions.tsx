import { Badge, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconLogout } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useEndSessions, useSessions } from "../../api/account";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";

/** Where one is signed in, and the way out of everywhere. */
export function Sessions() {
  const { t } = useTranslation();
  const format = useFormat();
  const sessions = useSessions();
  const endAll = useEndSessions();
  const askEnd = () =>
    modals.openConfirmModal({
      title: t("settings.sessions.endAllTitle"),
      children: <Text size="sm">{t("settings.sessions.endAllAbout")}</Text>,
      labels: { confirm: t("settings.sessions.endAll"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => endAll.mutate(),
    });
  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed">{t("settings.sessions.about")}</Text>
        <Button
          variant="light"
          color="red"
          leftSection={<IconLogout size={18} />}
          onClick={askEnd}
          loading={endAll.isPending}
        >
          {t("settings.sessions.endAll")}
        </Button>
      </Group>
      {sessions.isError && <Problem error={sessions.error} onRetry={() => sessions.refetch()} />}
      {endAll.isError && <Problem error={endAll.error} />}
      {sessions.isPending && <Skeleton h={120} radius="lg" />}
      {sessions.data && (
        <Listing
          label={t("settings.tabs.sessions")}
          rows={sessions.data}
          id={(session) => session.id}
          columns={[
            {
              key: "address",
              label: t("settings.sessions.address"),
              render: (session) => (
                <Group gap="xs">
                  <Text fw={600}>{session.address}</Text>
                  {session.current && (
                    <Badge variant="light" color="teal">
                      {t("settings.sessions.current")}
                    </Badge>
                  )}
                </Group>
              ),
            },
            {
              key: "since",
              label: t("settings.sessions.since"),
              render: (session) => format.moment(session.created_at),
            },
            {
              key: "seen",
              label: t("settings.sessions.seen"),
              render: (session) => format.ago(session.seen_at),
            },
            {
              key: "expires",
              label: t("settings.sessions.expires"),
              render: (session) => format.moment(session.expires_at),
            },
          ]}
        />
      )}
    </Stack>
  );
}
