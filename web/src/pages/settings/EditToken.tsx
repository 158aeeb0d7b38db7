import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Token, useChangeToken } from "../../api/account";
import { Problem } from "../../parts/Problem";

export function EditToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(token.name);
  const [description, setDescription] = useState(token.description);
  const change = useChangeToken();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ id: token.id, name, description }, { onSuccess: onClose });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("settings.tokens.edit")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={submit}>
        <Stack>
          {change.isError && <Problem error={change.error} />}
          <TextInput
            label={t("settings.tokens.name")}
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Textarea
            label={t("settings.tokens.description")}
            autosize
            minRows={2}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
