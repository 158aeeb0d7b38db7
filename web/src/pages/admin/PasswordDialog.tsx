import { Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Person, useSetPassword } from "../../api/people";
import { Problem } from "../../parts/Problem";

/** The dialog in which an administrator gives somebody a new password. */
export function PasswordDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t } = useTranslation();
  const set = useSetPassword();
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate(
      { id: person.id, password },
      {
        onSuccess: () => {
          notifications.show({ message: t("admin.people.passwordDone", { name: person.name }) });
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${t("admin.people.setPassword")}: ${person.name}`}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={submit}>
        <Stack>
          {set.isError && <Problem error={set.error} />}
          <PasswordInput
            label={t("admin.people.password")}
            description={t("admin.people.passwordHelp")}
            autoComplete="new-password"
            required
            minLength={12}
            data-autofocus
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={set.isPending}>
              {t("admin.people.setPassword")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
