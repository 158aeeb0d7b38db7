import { Alert, Button, Card, Group, Loader, Progress, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClockExclamation, IconWand } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Assessment } from "../../api/documents";
import { useFormat } from "../../words/format";
import { useConfiguration } from "./context";
import { splitPath } from "./model/document";
import { all, type Edit, set } from "./model/edits";
import { fromText, type JsonSchema } from "./model/schema";

const LOOKS = {
  good: { color: "green", icon: IconCircleCheck },
  slow: { color: "yellow", icon: IconClockExclamation },
  poor: { color: "orange", icon: IconAlertTriangle },
};

/** What a run will cost and whether it is worth it: made by itself once nothing blocks. */
export function CostCard() {
  const { t } = useTranslation();
  const { checks } = useConfiguration();
  const assessment = checks.said?.assessment ?? null;
  return (
    <Card component="section" aria-labelledby="cost" aria-live="polite" style={{ alignSelf: "start" }}>
      <Group justify="space-between" mb="sm">
        <Title order={3} size="h4" id="cost">
          {t("configurator.cost.title")}
        </Title>
        {!checks.isCurrent && checks.error == null && (
          <Loader size="xs" aria-label={t("configurator.cost.waiting")} />
        )}
      </Group>
      {assessment ? (
        <Verdict assessment={assessment} />
      ) : (
        <Text c="dimmed" size="sm">
          {checks.said ? t("configurator.cost.blocked") : t("configurator.cost.waiting")}
        </Text>
      )}
    </Card>
  );
}

function Verdict({ assessment }: { assessment: Assessment }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { checks } = useConfiguration();
  const look = LOOKS[assessment.verdict];
  const Icon = look.icon;
  const rows = Object.values(checks.said?.rows ?? {}).reduce((sum, one) => sum + one, 0);
  const facts = [
    [t("configurator.cost.time"), t("configurator.cost.about", { time: format.about(assessment.seconds) })],
    [t("configurator.cost.memory"), format.bytes(assessment.peak_memory_bytes)],
    [t("configurator.cost.rows"), format.number(rows)],
  ];
  return (
    <Stack>
      <Alert color={look.color} icon={<Icon />} title={t(`configurator.cost.${assessment.verdict}`)}>
        <Text size="sm">
          {assessment.verdict === "good" ? t("configurator.cost.goodHelp") : `${capital(assessment.reason)}.`}
        </Text>
      </Alert>
      <Stack gap={6}>
        {facts.map(([name, value]) => (
          <Group key={name} justify="space-between" wrap="nowrap">
            <Text size="sm" c="dimmed">
              {name}
            </Text>
            <Text size="sm" fw={600}>
              {value}
            </Text>
          </Group>
        ))}
      </Stack>
      <Suggestions assessment={assessment} />
      <Drivers assessment={assessment} />
    </Stack>
  );
}

function Suggestions({ assessment }: { assessment: Assessment }) {
  const { t } = useTranslation();
  const { schema, edit } = useConfiguration();
  const { suggestions } = assessment;
  if (suggestions.length === 0) return null;
  const edits = suggestions.map((one) => applied(schema, one.overrides));
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Text fw={600} size="sm">
          {t("configurator.cost.suggestions")}
        </Text>
        {suggestions.length > 1 && (
          <Button size="compact-xs" variant="subtle" onClick={() => edit(all(...edits))}>
            {t("configurator.cost.applyAll")}
          </Button>
        )}
      </Group>
      <Stack gap="xs">
        {suggestions.slice(0, 20).map((one, index) => (
          <Group key={one.code + one.message} wrap="nowrap" align="flex-start" justify="space-between">
            <Text size="sm">{one.message}</Text>
            <Button
              size="compact-sm"
              variant="light"
              style={{ flex: "none" }}
              leftSection={<IconWand size={14} />}
              onClick={() => edits[index] && edit(edits[index])}
            >
              {t("configurator.cost.apply")}
            </Button>
          </Group>
        ))}
      </Stack>
    </div>
  );
}

function applied(schema: JsonSchema, overrides: Record<string, string>): Edit {
  return all(
    ...Object.entries(overrides).map(([path, text]) => {
      const place = splitPath(path);
      return set(place, fromText(schema, place, text));
    }),
  );
}

function Drivers({ assessment }: { assessment: Assessment }) {
  const { t } = useTranslation();
  return (
    <div>
      <Text fw={600} size="sm" mb={6}>
        {t("configurator.cost.drivers")}
      </Text>
      <Stack gap={8}>
        {assessment.drivers.slice(0, 5).map((one) => (
          <div key={one.name}>
            <Group justify="space-between" wrap="nowrap">
              <Text size="xs" truncate>
                {capital(one.name)}
              </Text>
              <Text size="xs" c="dimmed">
                {Math.round(one.share * 100)} %
              </Text>
            </Group>
            <Progress value={one.share * 100} size="sm" aria-label={one.name} />
          </div>
        ))}
      </Stack>
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
