import { Badge, Button, Group, Modal, NativeSelect, Stack, Text, UnstyledButton } from "@mantine/core";
import { IconBucket, IconDatabase, IconRocket, IconServer } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { startRun } from "../../api/documents";
import type { SynthesisDetail } from "../../api/syntheses";
import { Problem } from "../../parts/Problem";
import { QuotaLine } from "../../parts/QuotaLine";
import { useFormat } from "../../words/format";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { set } from "./model/edits";
import { fieldAt, valueAt } from "./model/schema";

const DATABASES = ["postgresql", "mysql", "mariadb", "bigquery", "sql_server", "oracle"] as const;
const STORES = ["s3", "google_cloud_storage"] as const;

/** Where the result goes; then the execution starts, and its timeline opens. */
export function DestinationDialog(props: { onClose: () => void; save: () => Promise<SynthesisDetail> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { document, schema, edit, checks } = useConfiguration();
  const navigate = useNavigate();
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: async () => startRun((await props.save()).id),
    onSuccess: (execution) => {
      void client.invalidateQueries({ queryKey: ["executions"] });
      navigate(`/syntheses/${execution.synthesis_id}?timeline=${execution.id}`);
    },
  });
  const kind = valueAt(schema, document, ["destination", "kind"]);
  const files = fieldAt(schema, ["destination", "format"]);
  const isBuilt = (name: string) =>
    fieldAt(schema, ["destination", "kind"])?.availableValues?.includes(name) ?? true;
  const rows = Object.values(checks.said?.rows ?? {}).reduce((sum, one) => sum + one, 0);
  const groups = [
    { icon: IconDatabase, title: t("configurator.destination.database"), kinds: DATABASES },
    { icon: IconBucket, title: t("configurator.destination.object"), kinds: STORES },
  ];
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="lg"
      title={
        <Text fw={650} size="lg">
          {t("configurator.destination.title")}
        </Text>
      }
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        {create.isError && <Problem error={create.error} />}
        <div role="radiogroup" aria-label={t("configurator.destination.title")} className={classes.places}>
          <UnstyledButton
            role="radio"
            aria-checked={kind === "files"}
            className={classes.size}
            onClick={() => edit(set(["destination", "kind"], undefined))}
          >
            <Group wrap="nowrap">
              <IconServer size={26} stroke={1.5} aria-hidden />
              <div>
                <Text fw={600}>{t("configurator.destination.builtIn")}</Text>
                <Text size="sm" c="dimmed">
                  {t("configurator.destination.builtInHelp")}
                </Text>
              </div>
            </Group>
          </UnstyledButton>
          {groups.map(({ icon: Icon, title, kinds }) => (
            <div key={title} className={classes.kinds}>
              <Group gap="xs" mb={6}>
                <Icon size={18} stroke={1.5} aria-hidden />
                <Text fw={600} size="sm">
                  {title}
                </Text>
                {!kinds.some(isBuilt) && (
                  <Badge size="sm" variant="light" color="gray">
                    {t("configurator.destination.later")}
                  </Badge>
                )}
              </Group>
              <Group gap="xs">
                {kinds.map((name) => (
                  <UnstyledButton
                    key={name}
                    role="radio"
                    aria-checked={kind === name}
                    disabled={!isBuilt(name)}
                    className={classes.kind}
                    onClick={() => edit(set(["destination", "kind"], name))}
                  >
                    {t(`configurator.destination.${name}`)}
                  </UnstyledButton>
                ))}
              </Group>
            </div>
          ))}
        </div>
        {files && (
          <NativeSelect
            label={t("configurator.destination.format")}
            value={String(valueAt(schema, document, ["destination", "format"]))}
            data={files.choices}
            onChange={(event) => {
              const { value } = event.currentTarget;
              edit(set(["destination", "format"], value === files.default ? undefined : value));
            }}
          />
        )}
        <QuotaLine />
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {checks.said?.assessment &&
              t("configurator.destination.summary", {
                rows: format.number(rows),
                time: format.about(checks.said.assessment.seconds),
              })}
          </Text>
          <Button
            leftSection={<IconRocket size={18} />}
            loading={create.isPending}
            disabled={!checks.isCurrent || !checks.said?.assessment}
            onClick={() => create.mutate()}
          >
            {t("configurator.destination.create")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
