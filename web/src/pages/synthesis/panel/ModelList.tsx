import { ActionIcon, Card, Group, Menu, Stack, Text, Title } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconBrain, IconDots, IconPencil, IconSparkles, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Execution,
  type Model,
  useDeleteModel,
  useModels,
  useRenameModel,
} from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { Problem } from "../../../parts/Problem";
import { useFormat } from "../../../words/format";
import { may } from "../rights";
import { useTell } from "../tell";
import classes from "./Panel.module.css";
import { RenameDialog } from "./RenameDialog";

/** What was learned, kept to draw more from. */
export function ModelList({
  synthesis,
  executions,
  onDraw,
}: {
  synthesis: Synthesis;
  executions: Execution[];
  onDraw: (modelId: string) => void;
}) {
  const { t } = useTranslation();
  const models = useModels(synthesis.id);
  if (models.isError) return <Problem error={models.error} onRetry={() => void models.refetch()} />;
  const names = new Map(executions.map((one) => [one.id, one.name]));
  return (
    <Card padding="md" component="section" aria-label={t("synthesis.models.title")}>
      <Title order={2} size="h4" mb={4}>
        {t("synthesis.models.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {t(models.data?.items.length ? "synthesis.models.about" : "synthesis.models.none")}
      </Text>
      <ul className={classes.list}>
        {models.data?.items.map((model) => (
          <ModelItem
            key={model.id}
            synthesis={synthesis}
            model={model}
            trainedBy={names.get(model.execution_id) ?? null}
            onDraw={() => onDraw(model.id)}
          />
        ))}
      </ul>
    </Card>
  );
}

function ModelItem({
  synthesis,
  model,
  trainedBy,
  onDraw,
}: {
  synthesis: Synthesis;
  model: Model;
  trainedBy: string | null;
  onDraw: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const tell = useTell();
  const [isRenaming, setRenaming] = useState(false);
  const [rename, remove] = [useRenameModel(synthesis.id), useDeleteModel(synthesis.id)];
  const { id, name } = model;
  const confirmDelete = () =>
    modals.openConfirmModal({
      title: t("synthesis.models.deleteTitle", { name }),
      children: t("synthesis.models.deleteAbout"),
      labels: { confirm: t("common.delete"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () => remove.mutate(id, { onError: tell.refused }),
    });
  return (
    <li className={classes.item}>
      <Group gap="sm" wrap="nowrap" p={8} miw={0}>
        <IconBrain size={20} stroke={1.6} style={{ flex: "none" }} aria-hidden />
        <Stack gap={0} miw={0}>
          <Text fw={600} truncate title={name}>
            {name}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {trainedBy && trainedBy !== name ? `${trainedBy} · ` : ""}
            {format.moment(model.created_at)}
          </Text>
        </Stack>
      </Group>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t("synthesis.models.actions", { name })}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconSparkles size={16} />}
            disabled={!may(synthesis, "run")}
            onClick={onDraw}
          >
            {t("synthesis.models.draw")}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconPencil size={16} />}
            disabled={!may(synthesis, "edit")}
            onClick={() => setRenaming(true)}
          >
            {t("common.rename")}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={16} />}
            color="red"
            disabled={!may(synthesis, "edit")}
            onClick={confirmDelete}
          >
            {t("common.delete")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isRenaming && (
        <RenameDialog
          title={t("synthesis.models.rename")}
          name={name}
          rename={(wanted) => rename.mutateAsync({ id, name: wanted })}
          onClose={() => setRenaming(false)}
        />
      )}
    </li>
  );
}
