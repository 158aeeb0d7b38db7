import { ActionIcon, Button, Card, Group, Stack, Text, Title, Tooltip } from "@mantine/core";
import { IconColumns3, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Execution } from "../../../api/executions";
import type { Synthesis } from "../../../api/syntheses";
import { may } from "../rights";
import { CompareDialog } from "./CompareDialog";
import { ExecutionItem } from "./ExecutionItem";
import { ModelList } from "./ModelList";
import classes from "./Panel.module.css";
import { NewExecutionDialog } from "./start/NewExecutionDialog";

const AT_ONCE = 20;

/** All executions of a synthesis, and the models they left. */
export function ExecutionsPanel({
  synthesis,
  executions,
  chosen,
  onChosen,
}: {
  synthesis: Synthesis;
  executions: Execution[];
  chosen: string | null;
  onChosen?: () => void;
}) {
  const { t } = useTranslation();
  const [isNew, setNew] = useState<{ modelId: string | null } | null>(null);
  const [isComparing, setComparing] = useState(false);
  const [most, setMost] = useState(AT_ONCE);
  const finished = executions.filter((one) => one.status === "succeeded");
  return (
    <Stack gap="md">
      <Card padding="md" component="section" aria-label={t("synthesis.executions.title")}>
        <Group justify="space-between" mb="sm" wrap="nowrap">
          <Title order={2} size="h4">
            {t("synthesis.executions.title")}
          </Title>
          <Group gap={6} wrap="nowrap">
            {finished.length > 1 && (
              <Tooltip label={t("synthesis.compare.title")}>
                <ActionIcon
                  variant="default"
                  size="lg"
                  aria-label={t("synthesis.compare.title")}
                  onClick={() => setComparing(true)}
                >
                  <IconColumns3 size={18} />
                </ActionIcon>
              </Tooltip>
            )}
            {may(synthesis, "run") && (
              <Button
                size="xs"
                leftSection={<IconPlus size={16} />}
                onClick={() => setNew({ modelId: null })}
              >
                {t("synthesis.executions.new")}
              </Button>
            )}
          </Group>
        </Group>
        <ul className={classes.list}>
          {executions.slice(0, most).map((execution) => (
            <ExecutionItem
              key={execution.id}
              synthesis={synthesis}
              execution={execution}
              isChosen={execution.id === chosen}
              onChosen={onChosen}
            />
          ))}
        </ul>
        {executions.length > most && (
          <Button variant="subtle" fullWidth mt="xs" onClick={() => setMost(most + AT_ONCE)}>
            {t("common.more")}
          </Button>
        )}
        {executions.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("synthesis.executions.none")}
          </Text>
        )}
      </Card>
      <ModelList synthesis={synthesis} executions={executions} onDraw={(modelId) => setNew({ modelId })} />
      {isNew && (
        <NewExecutionDialog
          synthesis={synthesis}
          modelId={isNew.modelId}
          onClose={() => setNew(null)}
          onStarted={onChosen}
        />
      )}
      {isComparing && <CompareDialog executions={finished} onClose={() => setComparing(false)} />}
    </Stack>
  );
}
