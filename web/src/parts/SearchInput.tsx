import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

/** A field that narrows what is listed; Escape empties it. */
export function SearchInput({
  label,
  value,
  onChange,
  size,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  size?: "xs" | "sm";
}) {
  const { t } = useTranslation();
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={t("common.search")}
      size={size}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && onChange("")}
      leftSection={<IconSearch size={16} />}
      rightSection={
        value && <CloseButton size="sm" aria-label={t("common.close")} onClick={() => onChange("")} />
      }
    />
  );
}
