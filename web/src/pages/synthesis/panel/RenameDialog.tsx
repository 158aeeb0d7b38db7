import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { NameDialog } from "../../../parts/NameDialog";

/** Asks for another name, and is there until it was given. */
export function RenameDialog({
  title,
  name,
  rename,
  onClose,
}: {
  title: string;
  name: string;
  rename: (name: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const change = useMutation({ mutationFn: rename, onSuccess: onClose });
  return (
    <NameDialog
      title={title}
      name={name}
      submit={t("common.save")}
      onName={change.mutate}
      onClose={onClose}
      isPending={change.isPending}
      error={change.error}
      mustDiffer
    />
  );
}
