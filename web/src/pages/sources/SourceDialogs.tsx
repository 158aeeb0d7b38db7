import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { type Source, useDeleteSource, useRenameSource } from "../../api/sources";
import { ConfirmDialog } from "../../parts/ConfirmDialog";
import { NameDialog } from "../../parts/NameDialog";

export function RenameSource({ source, onClose }: { source: Source; onClose: () => void }) {
  const { t } = useTranslation();
  const rename = useRenameSource();
  return (
    <NameDialog
      title={t("sources.rename.title")}
      name={source.name}
      submit={t("common.rename")}
      onClose={onClose}
      isPending={rename.isPending}
      error={rename.error}
      onName={(name) =>
        rename.mutate(
          { id: source.id, name },
          {
            onSuccess: () => {
              notifications.show({ message: t("sources.rename.done", { name }) });
              onClose();
            },
          },
        )
      }
    />
  );
}

export function DeleteSource({
  source,
  onClose,
  onDeleted,
}: {
  source: Source;
  onClose: () => void;
  onDeleted?: () => void;
}) {
  const { t } = useTranslation();
  const remove = useDeleteSource();
  return (
    <ConfirmDialog
      opened
      title={t("sources.remove.title", { name: source.name })}
      confirm={t("sources.remove.confirm")}
      isPending={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(source.id, {
          onSuccess: () => {
            notifications.show({ message: t("sources.remove.done", { name: source.name }) });
            onClose();
            onDeleted?.();
          },
        })
      }
    >
      {t("sources.remove.text")}
    </ConfirmDialog>
  );
}
