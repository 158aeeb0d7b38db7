import { ActionIcon, Anchor, Badge, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconAdjustments, IconArrowRight, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { type Synthesis, useSynthesis } from "../../api/syntheses";
import { Problem } from "../../parts/Problem";
import { StatusBadge } from "../../parts/StatusBadge";
import { TypeIcon, typeName } from "../../parts/TypeIcon";
import { useFormat } from "../../words/format";
import { ScoreTile } from "./Score";
import { countTypes, type Document, summarize } from "./summary";

/** What one wants to know of a synthesis before it is opened. */
export function SidePanel({
  synthesis,
  sourceName,
  onClose,
}: {
  synthesis: Synthesis;
  sourceName: string;
  onClose?: () => void;
}) {
  const { t } = useTranslation();
  const { ago } = useFormat();
  const detail = useSynthesis(synthesis.id);
  const canEdit = synthesis.level === "own" || synthesis.level === "edit";
  return (
    <Stack gap="lg">
      <Stack gap={6}>
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Title order={2} size="h4" style={{ overflowWrap: "anywhere" }}>
            {synthesis.name}
          </Title>
          {onClose && (
            <ActionIcon variant="subtle" color="gray" onClick={onClose} aria-label={t("common.close")}>
              <IconX size={18} />
            </ActionIcon>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {t("syntheses.panel.versionOf", { number: synthesis.version, ago: ago(synthesis.updated_at) })}
        </Text>
        <Group gap="xs">
          <StatusBadge status={synthesis.execution_status ?? "none"} size="lg" />
          {synthesis.level !== "own" && (
            <Badge variant="light" color="grape" tt="none" size="lg">
              {t(`syntheses.level.${levelOf(synthesis.level)}`)}
            </Badge>
          )}
        </Group>
      </Stack>
      <Group grow gap="sm">
        <Button
          component={Link}
          to={`/syntheses/${synthesis.id}`}
          rightSection={<IconArrowRight size={16} />}
        >
          {t("syntheses.open")}
        </Button>
        {canEdit && (
          <Button
            component={Link}
            to={`/syntheses/${synthesis.id}/configure`}
            variant="default"
            leftSection={<IconAdjustments size={16} />}
          >
            {t("syntheses.configure")}
          </Button>
        )}
      </Group>
      <Part title={t("syntheses.panel.scores")}>
        {synthesis.scored_id ? (
          <Stack gap="sm">
            <ScoreTile label={t("syntheses.privacy")} value={synthesis.privacy} />
            <ScoreTile label={t("syntheses.accuracy")} value={synthesis.accuracy} />
          </Stack>
        ) : (
          <Text size="sm" c="dimmed">
            {t("syntheses.panel.noScores")}
          </Text>
        )}
      </Part>
      <Part title={t("syntheses.panel.source")}>
        {synthesis.source_id && synthesis.level === "own" ? (
          <Anchor component={Link} to={`/sources/${synthesis.source_id}`} size="sm">
            {sourceName}
          </Anchor>
        ) : (
          <Text size="sm">{sourceName}</Text>
        )}
      </Part>
      {detail.isError && <Problem error={detail.error} onRetry={() => void detail.refetch()} />}
      {detail.isPending && <Skeleton h={160} />}
      {detail.isSuccess && <Facts document={detail.data.document as Document} />}
    </Stack>
  );
}

function levelOf(level: string): "view" | "run" | "edit" | "own" {
  return level === "view" || level === "run" || level === "edit" ? level : "own";
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap={6} component="section">
      <Title order={3} size="sm" c="dimmed" fw={600}>
        {title}
      </Title>
      {children}
    </Stack>
  );
}

/** Data types and model settings, as the document has them. */
function Facts({ document }: { document: Document }) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const found = summarize(document);
  const types = countTypes(document);
  const settings: [string, string][] = [
    [t("syntheses.panel.size"), found.modelSize ?? t("syntheses.panel.standard")],
    [t("syntheses.panel.epochs"), found.maxEpochs ? number(found.maxEpochs) : t("syntheses.panel.standard")],
    [
      t("syntheses.panel.learning"),
      found.learningRate === null ? t("syntheses.panel.adaptive") : String(found.learningRate),
    ],
    [
      t("syntheses.panel.batch"),
      found.batchSize === null ? t("syntheses.panel.auto") : number(found.batchSize),
    ],
    [
      t("syntheses.panel.rows"),
      found.rows.length === 0
        ? t("syntheses.panel.asSource")
        : found.rows.map(([table, count]) => `${table}: ${number(count)}`).join(", "),
    ],
  ];
  return (
    <>
      <Part title={t("syntheses.panel.types")}>
        <Text size="sm">
          {[
            t("syntheses.panel.tables", { count: found.tables }),
            types.length > 0 && t("syntheses.panel.columns", { count: found.columns }),
            found.originals > 0 && t("syntheses.panel.original", { count: found.originals }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </Text>
        {types.map(([type, count]) => (
          <Group key={type} gap={8} justify="space-between" wrap="nowrap">
            <Group gap={8} wrap="nowrap">
              <TypeIcon type={type} />
              <Text size="sm">
                {type === "unknown" ? t("syntheses.panel.asDetected") : t(`parts.type.${typeName(type)}`)}
              </Text>
            </Group>
            <Text size="sm" c="dimmed">
              {number(count)}
            </Text>
          </Group>
        ))}
      </Part>
      <Part title={t("syntheses.panel.model")}>
        {settings.map(([label, value]) => (
          <Group key={label} gap="md" justify="space-between" wrap="nowrap">
            <Text size="sm">{label}</Text>
            <Text size="sm" c="dimmed" ta="right" style={{ overflowWrap: "anywhere" }}>
              {value}
            </Text>
          </Group>
        ))}
      </Part>
    </>
  );
}
