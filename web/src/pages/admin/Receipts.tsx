import { Button, Code, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconReceipt } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useReceipts } from "../../api/audit";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";

const REASONS = ["execution_ended", "results_expired", "deleted", "replaced"] as const;
type Reason = (typeof REASONS)[number];

/** What was removed, when and why. */
export function Receipts() {
  const { t } = useTranslation();
  const format = useFormat();
  const [typed, setTyped] = useState("");
  const [subject] = useDebouncedValue(typed.trim(), 250);
  const receipts = useReceipts(subject || undefined);
  const say = (reason: string) =>
    REASONS.includes(reason as Reason) ? t(`admin.receipts.reasons.${reason as Reason}`) : reason;
  return (
    <Stack>
      <Text c="dimmed">{t("admin.receipts.about")}</Text>
      <TextInput
        label={t("admin.receipts.object")}
        description={t("admin.receipts.objectHelp")}
        maw={360}
        maxLength={40}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {receipts.isError && <Problem error={receipts.error} onRetry={() => receipts.refetch()} />}
      {receipts.isPending && <Skeleton h={200} radius="lg" />}
      {receipts.isSuccess && receipts.items.length === 0 && (
        <Empty icon={<IconReceipt size={32} />} title={t("admin.receipts.none")}>
          {t("admin.receipts.noneAbout")}
        </Empty>
      )}
      {receipts.items.length > 0 && (
        <Listing
          label={t("admin.tabs.receipts")}
          rows={receipts.items}
          id={(receipt) => receipt.id}
          columns={[
            {
              key: "object",
              label: t("admin.receipts.object"),
              render: (receipt) => <Code>{receipt.subject_id}</Code>,
            },
            {
              key: "reason",
              label: t("admin.receipts.reason"),
              render: (receipt) => say(receipt.reason),
            },
            {
              key: "files",
              label: t("admin.receipts.files"),
              render: (receipt) => format.number(receipt.files),
            },
            {
              key: "bytes",
              label: t("admin.receipts.bytes"),
              render: (receipt) => format.bytes(receipt.bytes),
            },
            { key: "at", label: t("admin.receipts.at"), render: (receipt) => format.moment(receipt.at) },
          ]}
        />
      )}
      {receipts.hasNextPage && (
        <Button
          variant="default"
          mx="auto"
          loading={receipts.isFetchingNextPage}
          onClick={() => receipts.fetchNextPage()}
        >
          {t("common.more")}
        </Button>
      )}
    </Stack>
  );
}
