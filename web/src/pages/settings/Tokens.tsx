import { Badge, Button, Code, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import {
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconTrash,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Token, useChangeToken, useDeleteToken, useTokens } from "../../api/account";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { RowMenu } from "../../parts/RowMenu";
import { useFormat } from "../../words/format";
import { EditToken } from "./EditToken";
import { MakeToken } from "./MakeToken";

/** The keys of scripts: made, paused, ended. */
export function Tokens() {
  const { t } = useTranslation();
  const tokens = useTokens();
  const [isMaking, making] = useDisclosure();
  const [edited, setEdited] = useState<Token | null>(null);
  const make = (
    <Button leftSection={<IconPlus size={18} />} onClick={making.open}>
      {t("settings.tokens.make")}
    </Button>
  );
  return (
    <Stack>
      {tokens.data?.length !== 0 && (
        <Group justify="space-between">
          <Text c="dimmed" maw={640}>
            {t("settings.tokens.about")}
          </Text>
          {make}
        </Group>
      )}
      {tokens.isError && <Problem error={tokens.error} onRetry={() => tokens.refetch()} />}
      {tokens.isPending && <Skeleton h={160} radius="lg" />}
      {tokens.data?.length === 0 && (
        <Empty icon={<IconKey size={32} />} title={t("settings.tokens.emptyTitle")} action={make}>
          {t("settings.tokens.empty")}
        </Empty>
      )}
      {!!tokens.data?.length && <TokenList tokens={tokens.data} onEdit={setEdited} />}
      <MakeToken isOpen={isMaking} onClose={making.close} />
      {edited && <EditToken token={edited} onClose={() => setEdited(null)} />}
    </Stack>
  );
}

function TokenList({ tokens, onEdit }: { tokens: Token[]; onEdit: (token: Token) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const change = useChangeToken();
  const remove = useDeleteToken();
  const askDelete = (token: Token) =>
    modals.openConfirmModal({
      title: t("settings.tokens.deleteTitle", { name: token.name }),
      children: <Text size="sm">{t("settings.tokens.delete")}</Text>,
      labels: { confirm: t("common.delete"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => remove.mutate(token.id),
    });
  const failed = change.error ?? remove.error;
  return (
    <>
      {failed && <Problem error={failed} />}
      <Listing
        label={t("settings.tabs.tokens")}
        rows={tokens}
        id={(token) => token.id}
        columns={[
          {
            key: "name",
            label: t("settings.tokens.name"),
            render: (token) => (
              <Stack gap={0}>
                <Text fw={600}>{token.name}</Text>
                {token.description && (
                  <Text size="sm" c="dimmed" maw={420}>
                    {token.description}
                  </Text>
                )}
              </Stack>
            ),
          },
          {
            key: "state",
            label: t("settings.tokens.state"),
            render: (token) => <TokenState token={token} />,
          },
          { key: "key", label: t("settings.tokens.key"), render: (token) => <Code>{token.hint}…</Code> },
          {
            key: "made",
            label: t("settings.tokens.made"),
            render: (token) => format.date(token.created_at),
          },
          {
            key: "used",
            label: t("settings.tokens.used"),
            render: (token) =>
              token.used_at === null ? t("settings.tokens.unused") : format.ago(token.used_at),
          },
          {
            key: "expires",
            label: t("settings.tokens.expires"),
            render: (token) =>
              token.expires_at === null ? t("settings.tokens.forever") : format.date(token.expires_at),
          },
        ]}
        actions={(token) => (
          <RowMenu
            name={token.name}
            actions={[
              {
                label: t("settings.tokens.edit"),
                icon: <IconPencil size={16} />,
                act: () => onEdit(token),
              },
              {
                label: t(token.suspended ? "settings.tokens.reactivate" : "settings.tokens.suspend"),
                icon: token.suspended ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />,
                act: () => change.mutate({ id: token.id, suspended: !token.suspended }),
              },
              {
                label: t("common.delete"),
                icon: <IconTrash size={16} />,
                act: () => askDelete(token),
                isGrave: true,
              },
            ]}
          />
        )}
      />
    </>
  );
}

function TokenState({ token }: { token: Token }) {
  const { t } = useTranslation();
  if (token.expires_at !== null && token.expires_at * 1000 < Date.now())
    return (
      <Badge variant="light" color="gray">
        {t("settings.tokens.expired")}
      </Badge>
    );
  return (
    <Badge variant="light" color={token.suspended ? "yellow" : "teal"}>
      {t(token.suspended ? "settings.tokens.suspended" : "settings.tokens.active")}
    </Badge>
  );
}
