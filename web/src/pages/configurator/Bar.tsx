import { ActionIcon, Badge, Button, Group, Text, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconCode, IconDeviceFloppy } from "@tabler/icons-react";
import type { Dispatch } from "react";
import { useTranslation } from "react-i18next";
import { PageHead } from "../../parts/PageHead";
import { useConfiguration } from "./context";
import { type Action, type History, isChanged } from "./model/history";

interface Props {
  history: History;
  act: Dispatch<Action>;
  isSaving: boolean;
  onSave: () => void;
  onYaml: () => void;
}

/** The top: what is configured, whether it is saved and checked, undo, YAML. */
export function Bar({ history, act, isSaving, onSave, onYaml }: Props) {
  const { t } = useTranslation();
  const { synthesis, checks } = useConfiguration();
  const changed = isChanged(history);
  const about = (
    <Group component="span" gap="xs">
      {changed ? (
        <Tooltip label={t("configurator.bar.kept")}>
          <Badge component="span" color="yellow" variant="light" tabIndex={0}>
            {t("configurator.bar.changed")}
          </Badge>
        </Tooltip>
      ) : (
        <Badge component="span" color="gray" variant="light">
          {t("configurator.bar.saved", { version: history.version })}
        </Badge>
      )}
      <Text component="span" size="sm" role="status">
        {checks.error == null && t(`configurator.bar.${checks.isCurrent ? "checked" : "checking"}`)}
      </Text>
    </Group>
  );
  return (
    <PageHead title={t("configurator.title", { name: synthesis.name })} about={about}>
      <Tooltip label={t("configurator.bar.undo")}>
        <ActionIcon
          variant="default"
          size={36}
          aria-label={t("configurator.bar.undo")}
          disabled={history.past.length === 0}
          onClick={() => act({ kind: "undo" })}
        >
          <IconArrowBackUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t("configurator.bar.redo")}>
        <ActionIcon
          variant="default"
          size={36}
          aria-label={t("configurator.bar.redo")}
          disabled={history.future.length === 0}
          onClick={() => act({ kind: "redo" })}
        >
          <IconArrowForwardUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Button variant="default" leftSection={<IconCode size={18} />} onClick={onYaml}>
        {t("configurator.bar.yaml")}
      </Button>
      <Button
        variant="light"
        leftSection={<IconDeviceFloppy size={18} />}
        disabled={!changed}
        loading={isSaving}
        onClick={onSave}
      >
        {t("configurator.bar.save")}
      </Button>
    </PageHead>
  );
}
