import {
  Button,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  Radio,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schemas } from "../../../api/client";
import { checkOf, useModels, useStart } from "../../../api/executions";
import { type Synthesis, useSynthesis } from "../../../api/syntheses";
import { QuotaLine } from "../../../parts/QuotaLine";
import { useFormat } from "../../../words/format";
import { Refusal } from "../Failure";
import { usePlace } from "../place";
import { may } from "../rights";
import { rootTables } from "./roots";

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
  const [model, setModel] = useState(modelId ?? "");
  const [name, setName] = useState("");
  const [seed, setSeed] = useState<number | "">("");
  const [rows, setRows] = useState<Record<string, number>>({});
  const drawn = model || models.data?.items[0]?.id || "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const common = { name: name.trim(), rows, seed: seed === "" ? null : seed };
    const body: Schemas["NewRun"] | Schemas["NewDrawing"] =
      kind === "run" ? { ...common, kind } : { ...common, kind, model_id: drawn };
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
          {kind === "generate" && (
            <NativeSelect
              label={t("synthesis.start.model")}
              value={drawn}
              onChange={(event) => setModel(event.currentTarget.value)}
              data={(models.data?.items ?? []).map((one) => ({ value: one.id, label: one.name }))}
            />
          )}
          <TextInput
            label={t("common.name")}
            description={t("synthesis.start.nameAbout")}
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <RowsWanted synthesis={synthesis} rows={rows} onRows={setRows} isRun={kind === "run"} />
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

/** How many rows of each root table; what stays empty has as many as the source. */
function RowsWanted({
  synthesis,
  rows,
  onRows,
  isRun,
}: {
  synthesis: Synthesis;
  rows: Record<string, number>;
  onRows: (rows: Record<string, number>) => void;
  isRun: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const detail = useSynthesis(synthesis.id);
  const check = useQuery(checkOf(synthesis.id, synthesis.version));
  const found = check.data?.rows ?? {};
  const tables = Object.keys(found).length ? Object.keys(found) : rootTables(detail.data?.document ?? {});
  const seconds = check.data?.assessment?.seconds;
  const change = (table: string, value: number | null) => {
    const { [table]: _gone, ...others } = rows;
    onRows(value === null ? others : { ...others, [table]: value });
  };
  return (
    <>
      {tables.map((table) => (
        <NumberInput
          key={table}
          label={t("synthesis.start.rows", { table })}
          description={table === tables[0] ? t("synthesis.start.rowsAbout") : undefined}
          placeholder={found[table] === undefined ? undefined : format.number(found[table])}
          value={rows[table] ?? ""}
          min={1}
          allowDecimal={false}
          thousandSeparator={t("synthesis.start.thousands")}
          onChange={(value) => change(table, value === "" ? null : Number(value))}
        />
      ))}
      {isRun && (check.isPending || seconds !== undefined) && (
        <Text size="sm" c="dimmed" role="status">
          {check.isPending && t("synthesis.start.checking")}
          {seconds !== undefined &&
            t("synthesis.start.estimate", { time: format.duration(Math.round(seconds)) })}
        </Text>
      )}
    </>
  );
}
