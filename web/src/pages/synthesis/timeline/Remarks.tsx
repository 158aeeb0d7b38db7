import { Group, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../../words/format";
import type { Remark } from "./story";

/** What happened beside the steps: pauses, lost workers, where a retry begins. */
export function Remarks({ remarks }: { remarks: Remark[] }) {
  const format = useFormat();
  if (remarks.length === 0) return null;
  return (
    <Stack gap={4}>
      {remarks.slice(-5).map((remark) => (
        <Group key={remark.number} gap="xs" wrap="nowrap" c="dimmed" align="flex-start">
          <IconInfoCircle size={16} style={{ flex: "none", marginTop: 2 }} aria-hidden />
          <Text size="sm">
            <Words remark={remark} /> · {format.moment(remark.at)}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}

function Words({ remark }: { remark: Remark }) {
  const { t } = useTranslation();
  if (remark.kind !== "again") return t(`synthesis.remark.${remark.kind}`);
  if (!remark.beginning) return null;
  const { at, asked, reason } = remark.beginning;
  const words = { step: t(`synthesis.step.${at}`), asked: t(`synthesis.step.${asked}`) };
  if (reason === "files") return t("synthesis.remark.againFiles", words);
  if (reason === "seed") return t("synthesis.remark.againSeed", words);
  return t("synthesis.remark.again", words);
}
