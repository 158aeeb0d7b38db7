import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconAlertTriangle,
  IconArrowLeft,
  IconArrowRight,
  IconHistory,
  IconRocket,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { ApiError } from "../../api/client";
import { type Document, type JsonSchema, saveDocument } from "../../api/documents";
import type { Detection } from "../../api/sources";
import { SYNTHESIS_LIST, type SynthesisDetail, synthesisKey, useRenameSynthesis } from "../../api/syntheses";
import { Problem } from "../../parts/Problem";
import { AlertList } from "./AlertList";
import { Bar } from "./Bar";
import { useChecks } from "./checks";
import { type Configuration, Current } from "./context";
import { DestinationDialog } from "./DestinationDialog";
import { useDraft } from "./draft";
import { makeAlerts, type Spot, STEPS, type StepName } from "./model/alerts";
import { isChanged } from "./model/history";
import { combine } from "./model/view";
import { StepNav } from "./StepNav";
import { DataStep } from "./steps/DataStep";
import { ForeignKeysStep } from "./steps/ForeignKeysStep";
import { PrimaryKeysStep } from "./steps/PrimaryKeysStep";
import { SettingsStep } from "./steps/SettingsStep";
import { TreatmentStep } from "./steps/TreatmentStep";
import { YamlDialog } from "./YamlDialog";

interface Props {
  synthesis: SynthesisDetail;
  detection: Detection;
  schema: JsonSchema;
  step: StepName;
}

const BODIES = {
  data: DataStep,
  primary_keys: PrimaryKeysStep,
  foreign_keys: ForeignKeysStep,
  treatment: TreatmentStep,
  settings: SettingsStep,
};

/** The five steps over one draft, with what checks say of it. */
export function Configurator({ synthesis, detection, schema, step }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const saved = useMemo(() => named(synthesis), [synthesis]);
  const { history, act } = useDraft(synthesis.id, saved, synthesis.version);
  const { present: document } = history;
  const [spot, setSpot] = useState<Spot | null>(null);
  const [isRestored, setRestored] = useState(() => isChanged(history));
  const [yaml, yamlDialog] = useDisclosure();
  const [create, createDialog] = useDisclosure();
  const save = useSave(synthesis, (detail) =>
    act({ kind: "saved", document: named(detail), version: detail.version }),
  );
  const isOld = history.version < synthesis.version;
  const conflict = isOld && isChanged(history);
  useEffect(() => {
    if (isOld && !conflict) act({ kind: "open", saved, version: synthesis.version });
  }, [isOld, conflict, act, saved, synthesis.version]);
  const checks = useChecks(synthesis.id, document);
  const view = useMemo(() => combine(document, detection), [document, detection]);
  const findings = useDeferredValue(checks.said?.findings);
  const alerts = useMemo(
    () => makeAlerts(findings ?? [], { document, detection, view }),
    [findings, document, detection, view],
  );

  const goTo = useCallback(
    (target: Spot) => {
      setSpot({ ...target });
      navigate(`/syntheses/${synthesis.id}/configure/${target.step}`);
    },
    [navigate, synthesis.id],
  );
  const configuration: Configuration = {
    synthesis,
    document,
    detection,
    view,
    schema,
    checks,
    alerts,
    spot,
    step,
    edit: (edit) => act({ kind: "edit", edit }),
    undo: () => act({ kind: "undo" }),
    goTo,
  };
  useHotkeys([
    ["mod+Z", () => act({ kind: "undo" })],
    ["mod+shift+Z", () => act({ kind: "redo" })],
    ["mod+S", () => isChanged(history) && save.mutate({ document, version: history.version })],
  ]);

  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another step begins at its heading
  useEffect(() => {
    if (!first.current) heading.current?.focus({ preventScroll: true });
    first.current = false;
  }, [step]);

  const index = STEPS.indexOf(step);
  const to = (number: number) => `/syntheses/${synthesis.id}/configure/${STEPS[number]}`;
  const isBlocked =
    !checks.isCurrent || checks.said === null || checks.said.findings.some((one) => one.severity === "error");
  const firstError = alerts.find((one) => one.finding.severity === "error");
  const Body = BODIES[step];
  return (
    <Current.Provider value={configuration}>
      <Bar
        history={history}
        act={act}
        isSaving={save.isPending}
        onSave={() => save.mutate({ document, version: history.version })}
        onYaml={yamlDialog.open}
      />
      <StepNav step={step} />
      {save.isError && !isConflict(save.error) && <Problem error={save.error} />}
      {conflict ? (
        <Conflict
          mine={history.version}
          theirs={synthesis.version}
          onTake={() => act({ kind: "open", saved, version: synthesis.version })}
          onKeep={() => act({ kind: "open", saved, version: synthesis.version, present: document })}
        />
      ) : (
        isRestored &&
        isChanged(history) && (
          <Restored
            onDiscard={() => act({ kind: "open", saved, version: synthesis.version })}
            onClose={() => setRestored(false)}
          />
        )
      )}
      <Stack gap="md" component="section" aria-labelledby="step-heading">
        <div>
          <Text
            component="h2"
            id="step-heading"
            fw={650}
            size="xl"
            ref={heading}
            tabIndex={-1}
            style={{ outline: 0 }}
          >
            {t(`configurator.steps.${step}`)}
          </Text>
          <Text c="dimmed">{t(`configurator.steps.${step}About`)}</Text>
        </div>
        <AlertList step={step} />
        <Body />
        <Group justify="space-between" pt="xs">
          <Button
            variant="default"
            leftSection={<IconArrowLeft size={18} />}
            disabled={index === 0}
            onClick={() => navigate(to(index - 1))}
          >
            {t("common.back")}
          </Button>
          {index < STEPS.length - 1 ? (
            <Button rightSection={<IconArrowRight size={18} />} onClick={() => navigate(to(index + 1))}>
              {t("common.next")}
            </Button>
          ) : (
            <Group gap="sm">
              {isBlocked &&
                (checks.isCurrent && firstError ? (
                  <Button variant="subtle" color="red" onClick={() => goTo(firstError.spot)}>
                    {t("configurator.bar.blocked")}
                  </Button>
                ) : (
                  <Text size="sm" c="dimmed">
                    {checks.error == null && t("configurator.bar.checking")}
                  </Text>
                ))}
              <Button leftSection={<IconRocket size={18} />} disabled={isBlocked} onClick={createDialog.open}>
                {t("configurator.bar.create")}
              </Button>
            </Group>
          )}
        </Group>
      </Stack>
      <YamlDialog isOpen={yaml} onClose={yamlDialog.close} />
      {create && (
        <DestinationDialog
          onClose={createDialog.close}
          save={async () =>
            isChanged(history) ? save.mutateAsync({ document, version: history.version }) : synthesis
          }
        />
      )}
    </Current.Provider>
  );
}

/** The document of a synthesis under the name that the synthesis has now. */
function named(synthesis: SynthesisDetail): Document {
  return { ...synthesis.document, name: synthesis.name };
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === "synthesis.changed";
}

function useSave(synthesis: SynthesisDetail, onSaved: (detail: SynthesisDetail) => void) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const rename = useRenameSynthesis();
  return useMutation({
    mutationFn: async ({ document, version }: { document: Document; version: number }) => {
      const detail = await saveDocument(synthesis.id, document, version);
      return document.name && document.name !== detail.name
        ? rename.mutateAsync({ id: synthesis.id, name: document.name })
        : detail;
    },
    onSuccess: (detail) => {
      onSaved(detail); // before the newest version is known elsewhere, or this one would look like another's
      client.setQueryData(synthesisKey(synthesis.id), detail);
      void client.invalidateQueries({ queryKey: SYNTHESIS_LIST });
      notifications.show({
        message: t("configurator.bar.savedNow", { version: detail.version }),
        color: "green",
      });
    },
    onError: (error) => {
      // the newest version is read, and the difference is shown as a conflict
      if (isConflict(error)) void client.invalidateQueries({ queryKey: synthesisKey(synthesis.id) });
    },
  });
}

function Conflict(props: { mine: number; theirs: number; onTake: () => void; onKeep: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={props.onKeep}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={<Text fw={650}>{t("configurator.draft.conflict")}</Text>}
    >
      <Text>{t("configurator.draft.conflictHelp", { mine: props.mine, theirs: props.theirs })}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={props.onTake}>
          {t("configurator.draft.takeTheirs", { theirs: props.theirs })}
        </Button>
        <Button onClick={props.onKeep}>{t("configurator.draft.keepMine")}</Button>
      </Group>
    </Modal>
  );
}

/** Says that changes of an earlier time are back. */
function Restored({ onDiscard, onClose }: { onDiscard: () => void; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Alert
      icon={<IconHistory />}
      mb="md"
      title={t("configurator.draft.restored")}
      withCloseButton
      closeButtonLabel={t("common.close")}
      onClose={onClose}
    >
      <Group justify="space-between">
        <Text size="sm">{t("configurator.draft.restoredHelp")}</Text>
        <Button size="xs" variant="default" onClick={onDiscard} leftSection={<IconAlertTriangle size={14} />}>
          {t("configurator.draft.discard")}
        </Button>
      </Group>
    </Alert>
  );
}
