import { Alert, Button, Group, Progress, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SourceVersion } from "../../../api/sources";
import { Problem } from "../../../parts/Problem";
import { useFormat } from "../../../words/format";
import { type Candidate, judge, proposeName } from "./candidates";
import { DropArea } from "./DropArea";
import { FileList } from "./FileList";
import type { Extended } from "./UploadDialog";
import { type Sending, useUpload } from "./useUpload";

interface Props {
  source?: Extended;
  onDone: (version: SourceVersion) => void;
  onAtWork: (isAtWork: boolean) => void;
  onLeave: () => void;
}

/** Choosing files, sending them, and what becomes of each. */
export function UploadForm({ source, onDone, onAtWork, onLeave }: Props) {
  const { t } = useTranslation();
  const { bytes } = useFormat();
  const [files, setFiles] = useState<Candidate[]>([]);
  const [name, setName] = useState("");
  const [copyFiles, setCopyFiles] = useState(true);
  const upload = useUpload(onDone);
  const good = files.filter((one) => !one.refusal);
  const refused = files.length - good.length;
  const isChoosing = upload.phase === "choosing";
  const isAtWork = upload.phase === "sending" || upload.phase === "sealing";
  useEffect(() => onAtWork(!isChoosing), [isChoosing, onAtWork]);

  const add = async (chosen: File[]) => {
    if (chosen.length === 0) return;
    setFiles(await judge(chosen, files));
    if (!name) setName(proposeName(chosen));
  };
  const leaveOut = (file: Candidate) => {
    const left = files.filter((one) => one !== file);
    setFiles(left);
    if (upload.phase !== "stopped") return;
    if (left.every((one) => one.refusal)) void upload.cancel();
    else if (left.every((one) => one.refusal || upload.sendings.get(one.name)?.state === "sent"))
      void upload.finish();
  };
  const start = () =>
    void upload.start(source ? { sourceId: source.id, copyFiles } : { name: name.trim() }, good);
  const failed = good.filter((one) => upload.sendings.get(one.name)?.state === "failed");
  const unsent = good.filter((one) => upload.sendings.get(one.name)?.state !== "sent");
  const size = bytes(good.reduce((sum, one) => sum + one.file.size, 0));

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Stack>
        {upload.error != null && <Problem error={upload.error} />}
        {!source && files.length > 0 && (
          <TextInput
            label={t("sources.sending.name")}
            placeholder={t("sources.sending.namePlaceholder")}
            required
            maxLength={200}
            value={name}
            disabled={!isChoosing}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        {source && source.version > 0 && (
          <Switch
            label={t("sources.sending.copy", { number: source.version })}
            description={t("sources.sending.copyHelp")}
            checked={copyFiles}
            disabled={!isChoosing}
            onChange={(event) => setCopyFiles(event.currentTarget.checked)}
          />
        )}
        {isChoosing && <DropArea isSmall={files.length > 0} onFiles={(chosen) => void add(chosen)} />}
        {files.length > 0 && (
          <FileList
            files={files}
            sendings={upload.sendings}
            onLeaveOut={leaveOut}
            onRetry={(file) => void upload.retry([file], good)}
          />
        )}
        {isAtWork && <Total files={good} sendings={upload.sendings} isSealing={upload.phase === "sealing"} />}
        {upload.phase === "stopped" && failed.length > 0 && (
          <Alert color="orange" icon={<IconAlertTriangle />}>
            {t("sources.sending.stopped", { count: failed.length })}
          </Alert>
        )}
        <Group justify="space-between">
          <Text size="sm" c="dimmed" aria-live="polite">
            {isChoosing && good.length > 0 && t("sources.sending.ready", { count: good.length, size })}
            {isChoosing && good.length > 0 && refused > 0 && " · "}
            {isChoosing && refused > 0 && t("sources.sending.leftOut", { count: refused })}
          </Text>
          <Group gap="sm">
            {isChoosing ? (
              <>
                <Button variant="default" onClick={onLeave}>
                  {t("common.cancel")}
                </Button>
                {files.length > 0 && (
                  <Button type="submit" disabled={good.length === 0 || (!source && !name.trim())}>
                    {t("sources.sending.start", { count: good.length })}
                  </Button>
                )}
              </>
            ) : (
              <>
                <Button
                  variant="default"
                  onClick={() => void upload.cancel()}
                  disabled={upload.phase === "sealing"}
                >
                  {t("sources.sending.cancel")}
                </Button>
                {upload.phase === "stopped" && (
                  <Button onClick={() => void (unsent.length ? upload.retry(unsent, good) : upload.finish())}>
                    {t("sources.sending.retryAll")}
                  </Button>
                )}
              </>
            )}
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

/** How far the whole upload is, by bytes. */
function Total({
  files,
  sendings,
  isSealing,
}: {
  files: readonly Candidate[];
  sendings: ReadonlyMap<string, Sending>;
  isSealing: boolean;
}) {
  const { t } = useTranslation();
  const shareOf = (one: Candidate) => {
    const sending = sendings.get(one.name);
    return sending?.state === "sent" ? 1 : sending?.state === "sending" ? sending.share : 0;
  };
  const all = files.reduce((sum, one) => sum + one.file.size, 0);
  const done = files.reduce((sum, one) => sum + one.file.size * shareOf(one), 0);
  const sent = files.filter((one) => sendings.get(one.name)?.state === "sent").length;
  return (
    <Stack gap={4}>
      <Progress
        value={all ? (100 * done) / all : 0}
        size="lg"
        animated
        aria-label={t("sources.sending.total")}
      />
      <Text size="sm" c="dimmed" aria-live="polite">
        {isSealing
          ? t("sources.sending.sealing")
          : t("sources.sending.progress", { done: sent, all: files.length })}
      </Text>
    </Stack>
  );
}
