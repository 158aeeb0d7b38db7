import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconFileOff, IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { Empty } from "../../../parts/Empty";

const LOOKS = {
  error: { color: "red", icon: <IconAlertTriangle /> },
  warning: { color: "orange", icon: <IconAlertTriangle /> },
  notice: { color: "blue", icon: <IconInfoCircle /> },
};

/** What the files say to who looks closely, and what was left aside. */
export function FindingsTab({
  findings,
  skipped,
}: {
  findings: Schemas["FindingView"][];
  skipped: Schemas["SkippedView"][];
}) {
  const { t } = useTranslation();
  if (findings.length + skipped.length === 0)
    return (
      <Empty icon={<IconCircleCheck size={34} stroke={1.5} />} title={t("sources.finding.none")}>
        {t("sources.finding.noneText")}
      </Empty>
    );
  return (
    <Stack gap="sm">
      {findings.map((one) => (
        <Alert
          key={`${one.code} ${one.where} ${one.message}`}
          {...LOOKS[one.severity]}
          title={`${t(`sources.finding.${one.severity}`)}${one.where && `: ${one.where}`}`}
        >
          <Text size="sm">{one.message}</Text>
          {one.remedy && (
            <Text size="sm" c="dimmed">
              {one.remedy}
            </Text>
          )}
        </Alert>
      ))}
      {skipped.map((one) => (
        <Alert
          key={one.file}
          color="gray"
          icon={<IconFileOff />}
          title={`${t("sources.finding.skipped")}: ${one.file}`}
        >
          {one.reason}
        </Alert>
      ))}
    </Stack>
  );
}
