import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "./Problem";

/** Asks for a name; for another one than it has where it `mustDiffer`. */
export function NameDialog({
  onClose,
  onName,
  title,
  name,
  submit,
  isPending,
  error,
  mustDiffer = false,
}: {
  onClose: () => void;
  onName: (name: string) => void;
  title: string;
  name: string;
  submit: string;
  isPending: boolean;
  error: unknown;
  mustDiffer?: boolean;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(name);
  const wanted = text.trim();
  const isRefused = !wanted || (mustDiffer && wanted === name);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!isRefused) onName(wanted);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{title}</b>}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={send}>
        <Stack>
          {error != null && <Problem error={error} />}
          <TextInput
            label={t("common.name")}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onFocus={(event) => event.currentTarget.select()}
            maxLength={200}
            required
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={isPending} disabled={isRefused}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
