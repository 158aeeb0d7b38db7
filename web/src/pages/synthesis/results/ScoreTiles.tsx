import { ActionIcon, Badge, Card, Group, Popover, RingProgress, Stack, Text, Title } from "@mantine/core";
import { IconHelpCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Certificate, Evaluation } from "../../../api/evaluation";
import { COLORS, judge } from "../../../parts/verdict";
import { type Format, useFormat } from "../../../words/format";
import classes from "./Results.module.css";

/** The result in four tiles: how private, how accurate, what was proven, how much. */
export function ScoreTiles({
  evaluation,
  certificate,
  rows,
  isBorrowed,
}: {
  evaluation: Evaluation | null;
  certificate: Certificate | null;
  rows: number;
  /** Whether the scores are those of the training it draws from. */
  isBorrowed: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const missing = evaluation
    ? t(`synthesis.privacy.missing.${evaluation.privacy_missing ?? "too_few"}`)
    : t("synthesis.score.noReport");
  const borrowed = isBorrowed ? t("synthesis.score.borrowed") : "";
  return (
    <div className={classes.tiles}>
      <Score
        kind="privacy"
        score={evaluation?.privacy ?? null}
        about={evaluation?.privacy == null ? missing : weakest(evaluation, "privacy", format)}
        note={borrowed}
      />
      <Score
        kind="accuracy"
        score={evaluation?.accuracy ?? null}
        about={
          evaluation?.accuracy == null
            ? evaluation
              ? t("synthesis.accuracy.missing")
              : t("synthesis.score.noReport")
            : weakest(evaluation, "accuracy", format)
        }
        note={borrowed}
      />
      <Proven certificate={certificate} rows={rows} />
    </div>
  );

  function weakest(found: Evaluation, kind: "privacy" | "accuracy", as: Format): string {
    const least = found.tables.reduce<{ name: string; score: number } | null>((now, table) => {
      const score = table[kind];
      return score !== null && (!now || score < now.score) ? { name: table.name, score } : now;
    }, null);
    if (!least || found.tables.length < 2 || least.score >= 9) return "";
    return t("synthesis.score.weakest", { table: least.name, score: as.number(least.score, 1) });
  }
}

function Score({
  kind,
  score,
  about,
  note,
}: {
  kind: "privacy" | "accuracy";
  score: number | null;
  about: string;
  note: string;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const verdict = score === null ? null : judge(score);
  const title = t(`synthesis.${kind}.title`);
  return (
    <Tile title={title} about={t(`synthesis.${kind}.about`)}>
      <Group gap="md" wrap="nowrap">
        <RingProgress
          size={76}
          thickness={8}
          roundCaps
          sections={verdict && score !== null ? [{ value: score * 10, color: COLORS[verdict] }] : []}
          label={
            <Text ta="center" fw={700} size="lg" lh={1}>
              {score === null ? "–" : format.number(score, score < 9.95 ? 1 : 0)}
            </Text>
          }
          role="img"
          aria-label={
            score === null
              ? t("synthesis.score.none", { title })
              : t("synthesis.score.of", { title, score: format.number(score, 1) })
          }
        />
        <Stack gap={4} miw={0}>
          {verdict && (
            <Text fw={600} lh={1.3}>
              {t(`synthesis.${kind}.verdict.${verdict}`)}
            </Text>
          )}
          <Text size="sm" c="dimmed" lh={1.35}>
            {about}
          </Text>
          {note && (
            <Text size="sm" c="dimmed" lh={1.35}>
              {note}
            </Text>
          )}
        </Stack>
      </Group>
    </Tile>
  );
}

function Proven({ certificate, rows }: { certificate: Certificate | null; rows: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const all = certificate?.guarantees ?? [];
  const held = all.filter((one) => one.passed).length;
  return (
    <Tile title={t("synthesis.certificate.title")} about={t("synthesis.certificate.about")}>
      <Stack gap={4}>
        <Group gap="xs" align="baseline" wrap="nowrap">
          <Text className={classes.figure}>{certificate ? format.number(held) : "–"}</Text>
          {certificate && (
            <Text c="dimmed" size="sm">
              {t("synthesis.certificate.of", { count: all.length, total: format.number(all.length) })}
            </Text>
          )}
        </Group>
        <Group gap="xs">
          {certificate && (
            <Badge variant="light" color={certificate.passed ? "teal" : "red"} tt="none">
              {t(certificate.passed ? "synthesis.certificate.passed" : "synthesis.certificate.failed")}
            </Badge>
          )}
          <Text size="sm" c="dimmed">
            {t("synthesis.size.rowsMade", { rows: format.number(rows) })}
          </Text>
        </Group>
      </Stack>
    </Tile>
  );
}

function Tile({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Card padding="md">
      <Group justify="space-between" wrap="nowrap" mb="sm">
        <Title order={2} size="h5">
          {title}
        </Title>
        <Popover width={320} position="bottom-end" withArrow shadow="md">
          <Popover.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t("synthesis.explain", { title })}>
              <IconHelpCircle size={18} />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown>
            <Text size="sm">{about}</Text>
          </Popover.Dropdown>
        </Popover>
      </Group>
      {children}
    </Card>
  );
}
