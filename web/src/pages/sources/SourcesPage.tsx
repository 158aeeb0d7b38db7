import { Anchor, Button, Group, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDatabase, IconPencil, IconTrash, IconUpload } from "@tabler/icons-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { type Source, useSources } from "../../api/sources";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { Problem } from "../../parts/Problem";
import { type RowColumn, RowList } from "../../parts/RowList";
import { RowMenu } from "../../parts/RowMenu";
import { SearchInput } from "../../parts/SearchInput";
import { useFormat } from "../../words/format";
import { DeleteSource, RenameSource } from "./SourceDialogs";
import { UploadDialog } from "./upload/UploadDialog";

type Open = { act: "upload" } | { act: "rename" | "delete"; source: Source } | null;

/** One's own sources: found by name, opened, renamed, deleted; and where new ones come from. */
export function SourcesPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const sources = useSources();
  const [text, setText] = useState("");
  const [open, setOpen] = useState<Open>(null);
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const shown = sources.items.filter((one) => one.name.toLowerCase().includes(wanted));
  const columns = useColumns(setOpen);
  const close = () => setOpen(null);
  const upload = (
    <Button leftSection={<IconUpload size={18} />} onClick={() => setOpen({ act: "upload" })}>
      {t("sources.upload")}
    </Button>
  );

  return (
    <>
      <PageHead title={t("sources.title")} about={t("sources.about")}>
        {sources.items.length > 0 && upload}
      </PageHead>
      {sources.isError && <Problem error={sources.error} onRetry={() => void sources.refetch()} />}
      {sources.isPending && <Skeleton h={240} radius="lg" />}
      {sources.isSuccess && sources.items.length === 0 && (
        <Empty
          icon={<IconDatabase size={34} stroke={1.5} />}
          title={t("sources.empty.title")}
          action={upload}
        >
          {t("sources.empty.text")}
        </Empty>
      )}
      {sources.items.length > 0 && (
        <Stack>
          <Group justify="space-between">
            <SearchInput label={t("sources.searchLabel")} value={text} onChange={setText} />
            <Text size="sm" c="dimmed" aria-live="polite">
              {t("sources.count", { count: shown.length })}
            </Text>
          </Group>
          {shown.length === 0 ? (
            <Text c="dimmed" ta="center" py="xl">
              {t("sources.noMatch", { text: text.trim() })}
            </Text>
          ) : (
            <RowList
              label={t("sources.title")}
              items={shown}
              idOf={(one) => one.id}
              columns={columns}
              onOpen={(one) => navigate(`/sources/${one.id}`)}
            />
          )}
        </Stack>
      )}
      {open?.act === "upload" && (
        <UploadDialog
          onClose={close}
          onDone={(version) => {
            notifications.show({ color: "green", message: t("sources.sending.sent") });
            navigate(`/sources/${version.source_id}`);
          }}
        />
      )}
      {open?.act === "rename" && <RenameSource source={open.source} onClose={close} />}
      {open?.act === "delete" && <DeleteSource source={open.source} onClose={close} />}
    </>
  );
}

function useColumns(setOpen: (open: Open) => void): RowColumn<Source>[] {
  const { t } = useTranslation();
  const { ago, moment } = useFormat();
  return [
    {
      key: "name",
      title: t("common.name"),
      render: (one) => (
        <Group gap="sm" wrap="nowrap">
          <IconDatabase size={20} stroke={1.5} color="var(--mantine-color-dimmed)" aria-hidden />
          <Anchor
            component={Link}
            to={`/sources/${one.id}`}
            fw={550}
            size="sm"
            c="inherit"
            truncate
            tabIndex={-1}
          >
            {one.name}
          </Anchor>
        </Group>
      ),
    },
    {
      key: "version",
      title: t("sources.version"),
      width: 200,
      from: "sm",
      render: (one) => (one.version ? one.version : <Text c="orange.8">{t("sources.noVersion")}</Text>),
    },
    {
      key: "changed",
      title: t("sources.changed"),
      width: 180,
      from: "xs",
      render: (one) => <span title={moment(one.updated_at)}>{ago(one.updated_at)}</span>,
    },
    {
      key: "menu",
      title: <VisuallyHidden>{t("common.actions")}</VisuallyHidden>,
      width: 64,
      align: "right",
      isApart: true,
      render: (one) => (
        <RowMenu
          name={one.name}
          actions={[
            {
              label: t("common.rename"),
              icon: <IconPencil size={16} />,
              act: () => setOpen({ act: "rename", source: one }),
            },
            {
              label: t("common.delete"),
              icon: <IconTrash size={16} />,
              act: () => setOpen({ act: "delete", source: one }),
              isGrave: true,
            },
          ]}
        />
      ),
    },
  ];
}
