import { ActionIcon, Group, Progress, Stack, Text, Tooltip } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheckFilled,
  IconFileOff,
  IconRefresh,
  IconTable,
  IconX,
} from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useProblemWords } from "../../../parts/Problem";
import { useFormat } from "../../../words/format";
import type { Candidate } from "./candidates";
import classes from "./FileList.module.css";
import type { Sending } from "./useUpload";

interface Props {
  files: readonly Candidate[];
  sendings: ReadonlyMap<string, Sending>;
  onLeaveOut: (file: Candidate) => void;
  onRetry: (file: Candidate) => void;
}

/** The chosen files: what becomes of each, and what can be done about it. */
export function FileList({ files, sendings, onLeaveOut, onRetry }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: files.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 54,
    overscan: 6,
  });
  return (
    <section
      ref={scroller}
      className={classes.scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      aria-label={t("sources.drop.label")}
    >
      <ul className={classes.list} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const file = files[item.index];
          if (!file) return null;
          return (
            <li
              key={file.name}
              className={classes.item}
              style={{ transform: `translateY(${item.start}px)`, height: item.size }}
            >
              <FileRow
                file={file}
                sending={sendings.get(file.name)}
                onLeaveOut={() => onLeaveOut(file)}
                onRetry={() => onRetry(file)}
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function FileRow({
  file,
  sending,
  onLeaveOut,
  onRetry,
}: {
  file: Candidate;
  sending: Sending | undefined;
  onLeaveOut: () => void;
  onRetry: () => void;
}) {
  const { t } = useTranslation();
  const { bytes } = useFormat();
  const state = file.refusal ? "refused" : (sending?.state ?? "ready");
  return (
    <Group wrap="nowrap" gap="sm" h="100%">
      <StateIcon state={state} />
      <Stack gap={2} flex={1} miw={0}>
        <Text size="sm" truncate fw={500} c={file.refusal ? "dimmed" : undefined}>
          {file.name}
        </Text>
        {sending?.state === "sending" ? (
          <Progress value={sending.share * 100} size="sm" aria-label={file.name} />
        ) : (
          <Text size="xs" c={state === "failed" ? "red" : "dimmed"} truncate>
            {file.refusal ? (
              t(`sources.refusal.${file.refusal}`)
            ) : sending?.state === "failed" ? (
              <Words error={sending.error} />
            ) : state === "ready" ? (
              bytes(file.file.size)
            ) : (
              `${bytes(file.file.size)} · ${t(state === "sent" ? "sources.sending.sent" : "sources.sending.waiting")}`
            )}
          </Text>
        )}
      </Stack>
      {state === "failed" && (
        <Tooltip label={t("sources.sending.retryOne", { name: file.name })}>
          <ActionIcon
            variant="subtle"
            onClick={onRetry}
            aria-label={t("sources.sending.retryOne", { name: file.name })}
          >
            <IconRefresh size={18} />
          </ActionIcon>
        </Tooltip>
      )}
      {(state === "ready" || state === "refused" || state === "failed") && (
        <ActionIcon
          variant="subtle"
          color="gray"
          onClick={onLeaveOut}
          aria-label={t("sources.sending.leaveOut", { name: file.name })}
        >
          <IconX size={18} />
        </ActionIcon>
      )}
    </Group>
  );
}

function Words({ error }: { error: unknown }) {
  const { message, remedy } = useProblemWords(error);
  return `${message} ${remedy}`;
}

function StateIcon({ state }: { state: Sending["state"] | "refused" | "ready" }) {
  const common = { size: 22, stroke: 1.6, "aria-hidden": true, style: { flex: "none" } };
  if (state === "sent") return <IconCircleCheckFilled {...common} color="var(--mantine-color-green-6)" />;
  if (state === "failed") return <IconAlertTriangle {...common} color="var(--mantine-color-red-6)" />;
  if (state === "refused") return <IconFileOff {...common} color="var(--mantine-color-dimmed)" />;
  return <IconTable {...common} color="var(--mantine-primary-color-filled)" />;
}
