import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { type Synthesis, useDeleteSynthesis, useRenameSynthesis } from "../../api/syntheses";
import { ConfirmDialog } from "../../parts/ConfirmDialog";
import { NameDialog } from "../../parts/NameDialog";

export function RenameSynthesis({ synthesis, onClose }: { synthesis: Synthesis; onClose: () => void }) {
  const { t } = useTranslation();
  const rename = useRenameSynthesis();
  return (
    <NameDialog
      title={t("syntheses.rename.title")}
      name={synthesis.name}
      submit={t("common.rename")}
      onClose={onClose}
      isPending={rename.isPending}
      error={rename.error}
      onName={(name) => rename.mutate({ id: synthesis.id, name }, { onSuccess: onClose })}
    />
  );
}

export function DeleteSynthesis({ synthesis, onClose }: { synthesis: Synthesis; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useDeleteSynthesis();
  return (
    <ConfirmDialog
      opened
      title={t("syntheses.remove.title", { name: synthesis.name })}
      confirm={t("syntheses.remove.confirm")}
      isPending={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(synthesis.id, {
          onSuccess: () => {
            notifications.show({ message: t("syntheses.removed", { name: synthesis.name }) });
            onClose();
          },
        })
      }
    >
      {t("syntheses.remove.text")}
    </ConfirmDialog>
  );
}
