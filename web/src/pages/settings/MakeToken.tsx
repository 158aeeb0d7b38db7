import { Alert, Button, Group, Modal, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMakeToken } from "../../api/account";
import { Copyable } from "../../parts/Copyable";
import { Problem } from "../../parts/Problem";

const DAYS = [30, 90, 180, 365];

/** The dialog that makes a token, and then shows its secret, once. */
export function MakeToken({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const make = useMakeToken();
  const secret = make.data?.secret;
  const close = () => {
    make.reset();
    onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={secret ? t("settings.tokens.secretTitle") : t("settings.tokens.make")}
      closeOnClickOutside={!secret}
      closeOnEscape={!secret}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {secret ? <Secret secret={secret} onDone={close} /> : <TokenForm make={make} onCancel={close} />}
    </Modal>
  );
}

function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Stack>
      <Alert color="yellow" icon={<IconKey />}>
        {t("settings.tokens.secret")}
      </Alert>
      <Copyable label={t("settings.tokens.secretLabel")} text={secret} />
      <Group justify="flex-end">
        <Button onClick={onDone}>{t("settings.tokens.secretDone")}</Button>
      </Group>
    </Stack>
  );
}

function TokenForm({ make, onCancel }: { make: ReturnType<typeof useMakeToken>; onCancel: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [days, setDays] = useState<string | null>("90");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({ name, description, expires_in_days: days === "" ? null : Number(days) });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        {make.isError && <Problem error={make.error} />}
        <TextInput
          label={t("settings.tokens.name")}
          description={t("settings.tokens.nameHelp")}
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
        <Select
          label={t("settings.tokens.expiry")}
          allowDeselect={false}
          value={days}
          onChange={setDays}
          data={[
            ...DAYS.map((count) => ({ value: String(count), label: t("settings.tokens.days", { count }) })),
            { value: "", label: t("settings.tokens.forever") },
          ]}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {t("settings.tokens.submit")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
