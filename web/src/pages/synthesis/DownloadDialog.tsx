import { Button, Group, Loader, Modal, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconDownload, IconFileSpreadsheet, IconFileTypeCsv, IconTable } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Download,
  type Execution,
  FORMATS,
  type Format,
  readTicket,
  useDownloads,
  usePrepare,
} from "../../api/executions";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";
import classes from "./Items.module.css";

const ICONS = {
  csv: IconFileTypeCsv,
  tsv: IconFileTypeCsv,
  xlsx: IconFileSpreadsheet,
  ods: IconFileSpreadsheet,
  parquet: IconTable,
};

/** The result as files: made when first asked for, then fetched with a ticket that works once. */
export function DownloadDialog({ execution, onClose }: { execution: Execution; onClose: () => void }) {
  const { t } = useTranslation();
  const downloads = useDownloads(execution.id);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("synthesis.download.title", { name: execution.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t("synthesis.download.about")}
        </Text>
        {downloads.isError && <Problem error={downloads.error} onRetry={() => void downloads.refetch()} />}
        <ul className={classes.items}>
          {FORMATS.map((format) => (
            <FormatItem
              key={format}
              executionId={execution.id}
              format={format}
              download={newest(downloads.data ?? [], format)}
            />
          ))}
        </ul>
      </Stack>
    </Modal>
  );
}

function newest(downloads: Download[], format: Format): Download | null {
  const mine = downloads.filter((one) => one.format === format);
  return mine.find((one) => one.status !== "failed") ?? mine[0] ?? null;
}

function FormatItem({
  executionId,
  format,
  download,
}: {
  executionId: string;
  format: Format;
  download: Download | null;
}) {
  const { t } = useTranslation();
  const written = useFormat();
  const [isWanted, setWanted] = useState(false);
  const prepare = usePrepare(executionId);
  const fetch = useMutation({
    mutationFn: readTicket,
    onSuccess: (ticket) => save(ticket.path, ticket.file_name),
    onSettled: () => setWanted(false),
  });
  const taken = useRef("");
  const status = download?.status;
  const id = download?.id ?? "";
  useEffect(() => {
    if (!isWanted || status !== "ready" || taken.current === id) return;
    taken.current = id;
    fetch.mutate(id);
  }, [isWanted, status, id, fetch.mutate]);
  const get = () => {
    taken.current = "";
    if (status === "ready") fetch.mutate(id);
    else {
      setWanted(true);
      prepare.mutate(format, { onError: () => setWanted(false) });
    }
  };
  const isPreparing = status === "preparing" || prepare.isPending;
  const error = prepare.error ?? fetch.error;
  const Icon = ICONS[format];
  return (
    <li className={classes.item}>
      <Group gap="sm" wrap="nowrap" miw={0}>
        <ThemeIcon variant="light" size={40} aria-hidden>
          <Icon size={22} stroke={1.6} />
        </ThemeIcon>
        <Stack gap={0} miw={0}>
          <Text fw={600}>{t(`synthesis.download.format.${format}`)}</Text>
          <Text size="sm" c="dimmed" role="status">
            {isPreparing
              ? t("synthesis.download.preparing")
              : download?.size != null
                ? t("synthesis.download.ready", { size: written.bytes(download.size) })
                : t(`synthesis.download.formatAbout.${format}`)}
          </Text>
        </Stack>
      </Group>
      <Button
        variant={status === "ready" ? "filled" : "default"}
        leftSection={isPreparing ? <Loader size={14} type="oval" /> : <IconDownload size={16} />}
        disabled={isPreparing}
        loading={fetch.isPending}
        onClick={get}
        aria-label={t("synthesis.download.get", { format: t(`synthesis.download.format.${format}`) })}
      >
        {t("synthesis.download.action")}
      </Button>
      {error && (
        <div className={classes.trouble}>
          <Problem error={error} />
        </div>
      )}
      {!error && status === "failed" && download?.error && !prepare.isPending && (
        <Text className={classes.trouble} size="sm" c="red" role="alert">
          {download.error.message} {download.error.remedy}
        </Text>
      )}
    </li>
  );
}

/** Let the browser save what stands at an address of this server. */
function save(path: string, name: string): void {
  const link = document.createElement("a");
  link.href = path;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
