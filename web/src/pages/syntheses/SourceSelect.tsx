import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Source } from "../../api/sources";

/** Chooses among the sources that have a version to learn from. */
export function SourceSelect({
  sources,
  value,
  onChange,
}: {
  sources: readonly Source[];
  value: string | null;
  onChange: (sourceId: string | null) => void;
}) {
  const { t } = useTranslation();
  return (
    <Select
      label={t("syntheses.made.source")}
      description={t("syntheses.made.sourceHelp")}
      placeholder={t("syntheses.made.choose")}
      searchable
      data-autofocus
      required
      limit={200}
      value={value}
      onChange={onChange}
      data={sources.map((one) => ({ value: one.id, label: one.name, disabled: one.version === 0 }))}
    />
  );
}
