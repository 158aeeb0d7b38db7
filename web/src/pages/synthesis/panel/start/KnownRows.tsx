import { Checkbox, NativeSelect, Radio, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSources } from "../../../../api/sources";
import type { Known, Method } from "./drawing";

/** Takes rows of one's own sources as known. */
export function KnownRows({ known, onKnown }: { known: Known; onKnown: (known: Known) => void }) {
  const { t } = useTranslation();
  const sources = useSources();
  const ready = sources.items.filter((one) => one.version > 0);
  return (
    <Stack gap="sm">
      <NativeSelect
        label={t("synthesis.start.knownSource")}
        description={t("synthesis.start.knownAbout")}
        value={known.sourceId}
        onChange={(event) => onKnown({ ...known, sourceId: event.currentTarget.value })}
        data={[
          { value: "", label: t("synthesis.start.knownNone") },
          ...ready.map((one) => ({ value: one.id, label: one.name })),
        ]}
      />
      {known.sourceId && (
        <Radio.Group
          label={t("synthesis.start.knownUse")}
          value={known.method ?? "go"}
          onChange={(use) => onKnown({ ...known, method: use === "go" ? null : (use as Method) })}
        >
          <Stack gap="xs" mt="xs">
            {(["go", "draw", "best"] as const).map((use) => (
              <Radio
                key={use}
                value={use}
                label={t(`synthesis.start.uses.${use}`)}
                description={t(`synthesis.start.uses.${use}About`)}
              />
            ))}
          </Stack>
        </Radio.Group>
      )}
      {known.sourceId && known.method && (
        <Checkbox
          label={t("synthesis.start.allowMissing")}
          checked={known.allowMissing}
          onChange={(event) => onKnown({ ...known, allowMissing: event.currentTarget.checked })}
        />
      )}
    </Stack>
  );
}
