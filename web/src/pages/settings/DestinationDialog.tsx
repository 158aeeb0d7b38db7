import { Button, Checkbox, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Destination, type DestinationSettings, useWriteDestination } from "../../api/destinations";
import { Problem } from "../../parts/Problem";

/** What a destination is where nothing was written. */
export const USUAL: Pick<DestinationSettings, "kind" | "format" | "existing" | "neutralise_formulas"> = {
  kind: "files",
  format: "csv",
  existing: "fail",
  neutralise_formulas: false,
};

const KINDS: DestinationSettings["kind"][] = [
  "files",
  "postgresql",
  "mysql",
  "mariadb",
  "sql_server",
  "oracle",
  "bigquery",
  "s3",
  "google_cloud_storage",
];
const FORMATS: DestinationSettings["format"][] = ["csv", "tsv", "xlsx", "ods", "parquet"];
const EXISTINGS: DestinationSettings["existing"][] = ["fail", "replace", "append"];

/** The dialog that makes a destination or changes one. */
export function DestinationDialog({
  destination,
  onClose,
}: {
  destination?: Destination;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const write = useWriteDestination();
  const [name, setName] = useState(destination?.name ?? "");
  const [settings, setSettings] = useState({ ...USUAL, ...destination?.settings } as DestinationSettings);
  const set = (change: Partial<DestinationSettings>) => setSettings({ ...settings, ...change });
  const offer = <T extends string>(value: T, label: string, isAvailable: boolean) => ({
    value,
    label: isAvailable ? label : `${label} (${t("settings.destinations.soon")})`,
    disabled: !isAvailable,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    write.mutate({ id: destination?.id, name, settings }, { onSuccess: onClose });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(destination ? "settings.destinations.editTitle" : "settings.destinations.make")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={submit}>
        <Stack>
          {write.isError && <Problem error={write.error} />}
          <TextInput
            label={t("settings.destinations.name")}
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select<DestinationSettings["kind"]>
            label={t("settings.destinations.kind")}
            allowDeselect={false}
            value={settings.kind}
            onChange={(kind) => kind && set({ kind })}
            data={KINDS.map((kind) =>
              offer(kind, t(`settings.destinations.kinds.${kind}`), kind === "files"),
            )}
          />
          <Select<DestinationSettings["format"]>
            label={t("settings.destinations.format")}
            allowDeselect={false}
            value={settings.format}
            onChange={(format) => format && set({ format })}
            data={FORMATS.map((format) => ({ value: format, label: format.toUpperCase() }))}
          />
          <Select<DestinationSettings["existing"]>
            label={t("settings.destinations.existing")}
            allowDeselect={false}
            value={settings.existing}
            onChange={(existing) => existing && set({ existing })}
            data={EXISTINGS.map((one) =>
              offer(one, t(`settings.destinations.existings.${one}`), one === "fail"),
            )}
          />
          <Checkbox
            label={t("settings.destinations.neutralise")}
            description={t("settings.destinations.neutraliseHelp")}
            checked={settings.neutralise_formulas}
            onChange={(event) => set({ neutralise_formulas: event.currentTarget.checked })}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={write.isPending}>
              {t("settings.destinations.submit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
