import { Button, Group, Modal, NumberInput, Radio, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schemas } from "../../../../api/client";
import { useModels, useStart } from "../../../../api/executions";
import type { Synthesis } from "../../../../api/syntheses";
import { QuotaLine } from "../../../../parts/QuotaLine";
import { Refusal } from "../../Failure";
import { usePlace } from "../../place";
import { may } from "../../rights";
import { DrawingFields } from "./DrawingFields";
import { NOTHING_ASKED, writeDrawing } from "./drawing";
import { RowsOfRun } from "./RowsWanted";

/** Starts another execution: learns anew from the source, or draws from a model that is there. */
export function NewExecutionDialog({
  synthesis,
  modelId,
  onClose,
  onStarted,
}: {
  synthesis: Synthesis;
  /** The model that was picked; null for a choice between all ways. */
  modelId: string | null;
  onClose: () => void;
  onStarted?: () => void;
}) {
  const { t } = useTranslation();
  const place = usePlace();
  const models = useModels(synthesis.id);
  const start = useStart(synthesis.id);
  const [kind, setKind] = useState<"run" | "generate">(modelId ? "generate" : "run");
  const [picked, setPicked] = useState(modelId ?? "");
  const [name, setName] = useState("");
  const [seed, setSeed] = useState<number | "">("");
  const [rows, setRows] = useState<Record<string, number>>({});
  const [drawing, setDrawing] = useState(NOTHING_ASKED);
  const drawn = picked || models.data?.items[0]?.id || "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const common = { name: name.trim(), seed: seed === "" ? null : seed };
    const body: Schemas["NewRun"] | Schemas["NewDrawing"] =
      kind === "run"
        ? { ...common, kind, rows }
        : { ...common, kind, model_id: drawn, ...writeDrawing(drawing) };
    start.mutate(body, {
      onSuccess: (made) => {
        place.go({ execution: made.id, timeline: made.id });
        onStarted?.();
        onClose();
      },
    });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("synthesis.start.title")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form onSubmit={submit}>
        <Stack>
          {start.isError && <Refusal error={start.error} synthesisId={synthesis.id} />}
          <Radio.Group
            label={t("synthesis.start.how")}
            value={kind}
            onChange={(value) => setKind(value as "run" | "generate")}
          >
            <Stack gap="xs" mt="xs">
              <Radio
                value="run"
                label={t("synthesis.start.run")}
                description={t("synthesis.start.runAbout")}
              />
              <Radio
                value="generate"
                label={t("synthesis.start.generate")}
                description={t(drawn ? "synthesis.start.generateAbout" : "synthesis.start.noModel")}
                disabled={!drawn}
              />
            </Stack>
          </Radio.Group>
          {kind === "generate" ? (
            <DrawingFields
              models={models.data?.items ?? []}
              modelId={drawn}
              drawing={drawing}
              onModel={setPicked}
              onDrawing={setDrawing}
            />
          ) : (
            <RowsOfRun synthesis={synthesis} rows={rows} onRows={setRows} />
          )}
          <TextInput
            label={t("common.name")}
            description={t("synthesis.start.nameAbout")}
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NumberInput
            label={t("synthesis.start.seed")}
            description={t("synthesis.start.seedAbout")}
            value={seed}
            min={0}
            max={2 ** 31 - 1}
            allowDecimal={false}
            onChange={(value) => setSeed(value === "" ? "" : Number(value))}
          />
          <QuotaLine />
          <Group justify="space-between">
            {may(synthesis, "edit") ? (
              <Button component={Link} to={`/syntheses/${synthesis.id}/configure`} variant="subtle">
                {t("synthesis.start.configure")}
              </Button>
            ) : (
              <span />
            )}
            <Group gap="sm">
              <Button variant="default" onClick={onClose}>
                {t("common.cancel")}
              </Button>
              <Button type="submit" loading={start.isPending}>
                {t("synthesis.start.submit")}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
