import { ActionIcon, Group, Menu, Stack, Text, UnstyledButton } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconDots, IconPencil, IconTimeline, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Execution, isFinal, useDelete, useRename } from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { useUser } from "../../../app/session";
import { StatusBadge } from "../../../parts/StatusBadge";
import { useFormat } from "../../../words/format";
import { usePlace } from "../place";
import { mayChange } from "../rights";
import { useTell } from "../tell";
import classes from "./Panel.module.css";
import { RenameDialog } from "./RenameDialog";

/** One execution in the panel: chosen by a click, with what can be done to it. */
export function ExecutionItem({
  synthesis,
  execution,
  isChosen,
  onChosen,
}: {
  synthesis: Synthesis;
  execution: Execution;
  isChosen: boolean;
  onChosen?: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const place = usePlace();
  const user = useUser();
  const tell = useTell();
  const [isRenaming, setRenaming] = useState(false);
  const [rename, remove] = [useRename(), useDelete(synthesis.id)];
  const { id, name, status, kind } = execution;
  const isMine = mayChange(synthesis, execution, user.id);
  const choose = () => {
    place.go({ execution: id });
    onChosen?.();
  };
  const confirmDelete = () =>
    modals.openConfirmModal({
      title: t("synthesis.executions.deleteTitle", { name }),
      children: t("synthesis.executions.deleteAbout"),
      labels: { confirm: t("common.delete"), cancel: t("common.cancel") },
      confirmProps: { color: "red" },
      onConfirm: () =>
        remove.mutate(id, {
          onSuccess: () => isChosen && place.go({ execution: null }),
          onError: tell.refused,
        }),
    });
  return (
    <li className={classes.item} data-chosen={isChosen || undefined}>
      <UnstyledButton
        className={classes.choose}
        onClick={choose}
        onDoubleClick={() => place.go({ timeline: id })}
        aria-current={isChosen || undefined}
      >
        <Stack gap={4}>
          <Text fw={600} truncate title={name}>
            {name}
          </Text>
          <Group gap="xs" wrap="nowrap">
            <StatusBadge status={status} size="sm" />
            <Text size="sm" c="dimmed" truncate>
              {format.moment(execution.created_at)}
            </Text>
          </Group>
          <Text size="sm" c="dimmed" truncate>
            {t(`synthesis.kind.${kind}`)}
            {execution.rows > 0 &&
              ` · ${t("synthesis.executions.rows", { rows: format.number(execution.rows) })}`}
          </Text>
        </Stack>
      </UnstyledButton>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t("synthesis.executions.actions", { name })}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconTimeline size={16} />} onClick={() => place.go({ timeline: id })}>
            {t("synthesis.timeline.title")}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconPencil size={16} />}
            disabled={!isMine}
            onClick={() => setRenaming(true)}
          >
            {t("common.rename")}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={16} />}
            color="red"
            disabled={!isMine || !isFinal(status)}
            onClick={confirmDelete}
          >
            {t("common.delete")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isRenaming && (
        <RenameDialog
          title={t("synthesis.executions.rename")}
          name={name}
          rename={(wanted) => rename.mutateAsync({ id, name: wanted })}
          onClose={() => setRenaming(false)}
        />
      )}
    </li>
  );
}
