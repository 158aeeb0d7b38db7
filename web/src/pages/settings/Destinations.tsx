import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconFolderShare, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Destination,
  type DestinationSettings,
  useDeleteDestination,
  useDestinations,
} from "../../api/destinations";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { RowMenu } from "../../parts/RowMenu";
import { useFormat } from "../../words/format";
import { DestinationDialog, USUAL } from "./DestinationDialog";

/** Named places for results. */
export function Destinations() {
  const { t } = useTranslation();
  const found = useDestinations();
  const [edited, setEdited] = useState<Destination | "new" | null>(null);
  const make = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setEdited("new")}>
      {t("settings.destinations.make")}
    </Button>
  );
  return (
    <Stack>
      {found.data?.length !== 0 && (
        <Group justify="space-between">
          <Text c="dimmed">{t("settings.destinations.about")}</Text>
          {make}
        </Group>
      )}
      {found.isError && <Problem error={found.error} onRetry={() => found.refetch()} />}
      {found.isPending && <Skeleton h={120} radius="lg" />}
      {found.data?.length === 0 && (
        <Empty
          icon={<IconFolderShare size={32} />}
          title={t("settings.destinations.emptyTitle")}
          action={make}
        >
          {t("settings.destinations.empty")}
        </Empty>
      )}
      {!!found.data?.length && <DestinationList found={found.data} onEdit={setEdited} />}
      {edited && (
        <DestinationDialog
          destination={edited === "new" ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </Stack>
  );
}

function DestinationList({ found, onEdit }: { found: Destination[]; onEdit: (one: Destination) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const remove = useDeleteDestination();
  const askDelete = (one: Destination) =>
    modals.openConfirmModal({
      title: t("settings.destinations.deleteTitle", { name: one.name }),
      children: <Text size="sm">{t("settings.destinations.delete")}</Text>,
      labels: { confirm: t("common.delete"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => remove.mutate(one.id),
    });
  const read = (one: Destination) => ({ ...USUAL, ...one.settings }) as DestinationSettings;
  return (
    <>
      {remove.isError && <Problem error={remove.error} />}
      <Listing
        label={t("settings.tabs.destinations")}
        rows={found}
        id={(one) => one.id}
        columns={[
          {
            key: "name",
            label: t("settings.destinations.name"),
            render: (one) => <Text fw={600}>{one.name}</Text>,
          },
          {
            key: "kind",
            label: t("settings.destinations.kind"),
            render: (one) => t(`settings.destinations.kinds.${read(one).kind}`),
          },
          {
            key: "format",
            label: t("settings.destinations.format"),
            render: (one) => read(one).format.toUpperCase(),
          },
          {
            key: "changed",
            label: t("settings.destinations.changed"),
            render: (one) => format.date(one.updated_at),
          },
        ]}
        actions={(one) => (
          <RowMenu
            name={one.name}
            actions={[
              {
                label: t("settings.destinations.edit"),
                icon: <IconPencil size={16} />,
                act: () => onEdit(one),
              },
              {
                label: t("common.delete"),
                icon: <IconTrash size={16} />,
                act: () => askDelete(one),
                isGrave: true,
              },
            ]}
          />
        )}
      />
    </>
  );
}
