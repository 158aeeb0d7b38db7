import { ActionIcon, Badge, Button, Drawer, Menu, Text } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import {
  IconAdjustments,
  IconDots,
  IconDownload,
  IconFileTypePdf,
  IconHistory,
  IconPlayerPlay,
  IconShare,
  IconTimeline,
} from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { type Execution, reportPath, useExecutions } from "../../api/executions";
import { type Synthesis, useSynthesis } from "../../api/syntheses";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { PageLoader } from "../../parts/PageLoader";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";
import { DownloadDialog } from "./DownloadDialog";
import { ExecutionsPanel } from "./panel/ExecutionsPanel";
import { usePlace } from "./place";
import { Results } from "./results/Results";
import classes from "./results/Results.module.css";
import { may } from "./rights";
import { ShareDialog } from "./ShareDialog";

const TimelineDialog = lazy(async () => ({
  default: (await import("./timeline/TimelineDialog")).TimelineDialog,
}));

/** A synthesis and what its executions made. */
export function SynthesisPage() {
  const { synthesisId = "" } = useParams();
  const synthesis = useSynthesis(synthesisId);
  const executions = useExecutions(synthesisId);
  const error = synthesis.error ?? executions.error;
  if (error && !(synthesis.data && executions.data)) throw error;
  if (!synthesis.data || !executions.data) return <PageLoader />;
  return (
    <>
      {error && <Problem error={error} />}
      <View key={synthesisId} synthesis={synthesis.data} executions={executions.items} />
    </>
  );
}

function View({ synthesis, executions }: { synthesis: Synthesis; executions: Execution[] }) {
  const { t } = useTranslation();
  const place = usePlace();
  const isWide = useMediaQuery("(min-width: 80em)");
  const [isPanelOpen, panel] = useDisclosure();
  const chosen = choose(executions, place.execution);
  const aside = (onChosen?: () => void) => (
    <ExecutionsPanel
      synthesis={synthesis}
      executions={executions}
      chosen={chosen?.id ?? null}
      onChosen={onChosen}
    />
  );
  return (
    <>
      <Head
        synthesis={synthesis}
        execution={chosen}
        count={executions.length}
        onPanel={isWide ? null : panel.open}
      />
      <div className={classes.body} data-aside={isWide || undefined}>
        <div className={classes.main}>
          {chosen ? (
            <Results key={chosen.id} synthesis={synthesis} execution={chosen} executions={executions} />
          ) : (
            <Empty
              icon={<IconPlayerPlay size={32} stroke={1.6} />}
              title={t("synthesis.empty.title")}
              action={
                may(synthesis, "run") && (
                  <Button component={Link} to={`/syntheses/${synthesis.id}/configure`}>
                    {t("synthesis.configure")}
                  </Button>
                )
              }
            >
              {t("synthesis.empty.about")}
            </Empty>
          )}
        </div>
        {isWide && <aside aria-label={t("synthesis.executions.title")}>{aside()}</aside>}
      </div>
      {!isWide && (
        <Drawer
          opened={isPanelOpen}
          onClose={panel.close}
          position="right"
          size="min(420px, 100vw)"
          title={synthesis.name}
          closeButtonProps={{ "aria-label": t("common.close") }}
        >
          {aside(panel.close)}
        </Drawer>
      )}
      {place.timeline && (
        <Suspense fallback={null}>
          <TimelineDialog
            synthesis={synthesis}
            executionId={place.timeline}
            onClose={() => place.go({ timeline: null })}
          />
        </Suspense>
      )}
    </>
  );
}

/** The execution that is looked at: the one in the address, else the newest that has results, else the newest. */
export function choose(executions: Execution[], wanted: string | null): Execution | null {
  return (
    executions.find((one) => one.id === wanted) ??
    executions.find((one) => one.status === "succeeded") ??
    executions[0] ??
    null
  );
}

function Head({
  synthesis,
  execution,
  count,
  onPanel,
}: {
  synthesis: Synthesis;
  execution: Execution | null;
  count: number;
  onPanel: (() => void) | null;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const place = usePlace();
  const [isDownloading, download] = useDisclosure();
  const [isSharing, share] = useDisclosure();
  const hasResults = execution?.status === "succeeded";
  return (
    <>
      <PageHead
        title={synthesis.name}
        about={execution && `${execution.name} · ${format.moment(execution.created_at)}`}
      >
        {onPanel && (
          <Button
            variant="default"
            leftSection={<IconHistory size={16} />}
            rightSection={
              <Badge size="sm" circle variant="light">
                {count}
              </Badge>
            }
            onClick={onPanel}
          >
            {t("synthesis.executions.title")}
          </Button>
        )}
        {hasResults && (
          <Button leftSection={<IconDownload size={16} />} onClick={download.open}>
            {t("synthesis.download.action")}
          </Button>
        )}
        {hasResults && execution.kind === "run" && (
          <Button
            component="a"
            href={reportPath(execution.id)}
            target="_blank"
            rel="noopener"
            variant="default"
            leftSection={<IconFileTypePdf size={16} />}
          >
            {t("synthesis.report.action")}
          </Button>
        )}
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label={t("common.actions")}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {execution && (
              <Menu.Item
                leftSection={<IconTimeline size={16} />}
                onClick={() => place.go({ timeline: execution.id })}
              >
                {t("synthesis.timeline.title")}
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconAdjustments size={16} />}
              component={Link}
              to={`/syntheses/${synthesis.id}/configure`}
            >
              {t("synthesis.configure")}
            </Menu.Item>
            <Menu.Item leftSection={<IconShare size={16} />} onClick={share.open}>
              {t("synthesis.share.action")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
        {!may(synthesis, "own") && (
          <Text size="sm" c="dimmed">
            {t("synthesis.share.yours", { level: t(`synthesis.share.mine.${levelOf(synthesis)}`) })}
          </Text>
        )}
      </PageHead>
      {isDownloading && execution && <DownloadDialog execution={execution} onClose={download.close} />}
      {isSharing && <ShareDialog synthesis={synthesis} onClose={share.close} />}
    </>
  );
}

function levelOf(synthesis: Synthesis): "view" | "run" | "edit" {
  return synthesis.level === "edit" || synthesis.level === "run" ? synthesis.level : "view";
}
