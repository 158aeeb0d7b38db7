import { Card, SegmentedControl, Stack, Text, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { LANGUAGES, type Language, speak } from "../../words";

/** How the application looks and speaks in this browser. */
export function Appearance() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Card maw={560}>
      <Stack gap="xl">
        <Choice
          label={t("settings.appearance.theme")}
          help={t("settings.appearance.themeHelp")}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
          choices={(["light", "dark", "auto"] as const).map((value) => ({
            value,
            label: t(`settings.appearance.${value}`),
          }))}
        />
        <Choice
          label={t("settings.appearance.language")}
          help={t("settings.appearance.languageHelp")}
          value={i18n.language}
          onChange={(value) => speak(value as Language)}
          choices={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
        />
      </Stack>
    </Card>
  );
}

function Choice({
  label,
  help,
  value,
  onChange,
  choices,
}: {
  label: string;
  help: string;
  value: string;
  onChange: (value: string) => void;
  choices: { value: string; label: string }[];
}) {
  return (
    <Stack gap="xs">
      <Text fw={600}>{label}</Text>
      <SegmentedControl fullWidth aria-label={label} value={value} onChange={onChange} data={choices} />
      <Text size="sm" c="dimmed">
        {help}
      </Text>
    </Stack>
  );
}
