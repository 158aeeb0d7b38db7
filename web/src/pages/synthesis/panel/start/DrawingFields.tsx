import { Accordion, NativeSelect, NumberInput, Skeleton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type Model, useModel } from "../../../../api/executions";
import { Problem } from "../../../../parts/Problem";
import { Conditions } from "./Conditions";
import { type Drawing, listRoots, NOTHING_ASKED } from "./drawing";
import { KnownRows } from "./KnownRows";
import { RowsWanted } from "./RowsWanted";

/** What is drawn from a stored model: how many rows, under which conditions, from which known rows. */
export function DrawingFields({
  models,
  modelId,
  drawing,
  onModel,
  onDrawing,
}: {
  models: Model[];
  modelId: string;
  drawing: Drawing;
  onModel: (modelId: string) => void;
  onDrawing: (drawing: Drawing) => void;
}) {
  const { t } = useTranslation();
  const model = useModel(modelId);
  const change = (part: Partial<Drawing>) => onDrawing({ ...drawing, ...part });
  const roots = model.data ? listRoots(model.data) : {};
  const { wishes } = drawing;
  return (
    <>
      <NativeSelect
        label={t("synthesis.start.model")}
        value={modelId}
        onChange={(event) => {
          onModel(event.currentTarget.value);
          onDrawing(NOTHING_ASKED);
        }}
        data={models.map((one) => ({ value: one.id, label: one.name }))}
      />
      {model.isPending && <Skeleton h={60} />}
      {model.isError && <Problem error={model.error} onRetry={model.refetch} />}
      {model.data && (
        <>
          <RowsWanted
            tables={Object.keys(roots)}
            found={roots}
            rows={drawing.rows}
            onRows={(rows) => change({ rows })}
          />
          <Accordion multiple variant="separated" chevronPosition="left">
            <Accordion.Item value="conditions">
              <Accordion.Control>
                {wishes.length > 0
                  ? t("synthesis.start.conditionsCount", { count: wishes.length })
                  : t("synthesis.start.conditions")}
              </Accordion.Control>
              <Accordion.Panel>
                <Conditions model={model.data} wishes={wishes} onWishes={(now) => change({ wishes: now })} />
                <NumberInput
                  mt="sm"
                  label={t("synthesis.start.variety")}
                  description={t("synthesis.start.varietyAbout")}
                  placeholder="1"
                  value={drawing.variety ?? ""}
                  min={0.05}
                  max={5}
                  step={0.05}
                  onChange={(value) => change({ variety: value === "" ? null : Number(value) })}
                />
              </Accordion.Panel>
            </Accordion.Item>
            <Accordion.Item value="known">
              <Accordion.Control>{t("synthesis.start.known")}</Accordion.Control>
              <Accordion.Panel>
                <KnownRows known={drawing.known} onKnown={(known) => change({ known })} />
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
        </>
      )}
    </>
  );
}
