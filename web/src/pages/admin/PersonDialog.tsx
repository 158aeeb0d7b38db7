import { Button, Group, Modal, PasswordInput, Radio, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Person, useChangePerson, useMakePerson } from "../../api/people";
import { Problem } from "../../parts/Problem";

/** The dialog that makes an account or changes one. */
export function PersonDialog({ person, onClose }: { person?: Person; onClose: () => void }) {
  const { t } = useTranslation();
  const make = useMakePerson();
  const change = useChangePerson();
  const [name, setName] = useState(person?.name ?? "");
  const [email, setEmail] = useState(person?.email ?? "");
  const [company, setCompany] = useState(person?.company ?? "");
  const [role, setRole] = useState<Person["role"]>(person?.role ?? "user");
  const [password, setPassword] = useState("");
  const error = make.error ?? change.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const written = { name, email, company, role };
    if (person) return change.mutate({ id: person.id, ...written }, { onSuccess: onClose });
    make.mutate(
      { ...written, password: password || null },
      {
        onSuccess: () => {
          notifications.show({ message: t("admin.people.made_", { name }), color: "teal" });
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={person ? `${t("admin.people.edit")}: ${person.name}` : t("admin.people.make")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={submit} autoComplete="off">
        <Stack>
          {error && <Problem error={error} />}
          <TextInput
            label={t("admin.people.name")}
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label={t("admin.people.email")}
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <TextInput
            label={t("admin.people.company")}
            maxLength={200}
            value={company}
            onChange={(event) => setCompany(event.currentTarget.value)}
          />
          <Radio.Group
            label={t("admin.people.role")}
            description={t("admin.people.adminHelp")}
            value={role}
            onChange={(value) => setRole(value as Person["role"])}
          >
            <Group mt="xs">
              <Radio value="user" label={t("admin.people.roles.user")} />
              <Radio value="admin" label={t("admin.people.roles.admin")} />
            </Group>
          </Radio.Group>
          {!person && (
            <PasswordInput
              label={t("admin.people.password")}
              description={`${t("admin.people.passwordHelp")} ${t("admin.people.passwordless")}`}
              autoComplete="new-password"
              minLength={12}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={make.isPending || change.isPending}>
              {person ? t("common.save") : t("admin.people.submit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
