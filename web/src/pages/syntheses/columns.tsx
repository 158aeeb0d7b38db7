import { Text, VisuallyHidden } from "@mantine/core";
import { IconAdjustments, IconCopy, IconFileExport, IconPencil, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { Synthesis } from "../../api/syntheses";
import type { RowColumn } from "../../parts/RowList";
import { RowMenu } from "../../parts/RowMenu";
import { StatusBadge } from "../../parts/StatusBadge";
import { useFormat } from "../../words/format";
import { Score } from "./Score";

export type Act = "clone" | "export" | "rename" | "delete";

const IN_PANEL = new Set(["source", "changed"]);

/** What the listing shows of each synthesis; beside an open panel not what stands there. */
export function useColumns(
  hasPanel: boolean,
  sourceName: (synthesis: Synthesis) => string,
  act: (what: Act, synthesis: Synthesis) => void,
): RowColumn<Synthesis>[] {
  const { t } = useTranslation();
  const { ago, moment } = useFormat();
  const actions = useActions(act);
  const all: RowColumn<Synthesis>[] = [
    {
      key: "name",
      title: t("common.name"),
      render: (one) => (
        <>
          <Text size="sm" fw={550} truncate title={one.name}>
            {one.name}
          </Text>
          <Text size="xs" c="dimmed" truncate hiddenFrom="xs">
            {t(`parts.status.${one.execution_status ?? "none"}`)}
          </Text>
        </>
      ),
    },
    {
      key: "source",
      title: t("syntheses.source"),
      from: "md",
      render: (one) => (
        <Text size="sm" c="dimmed" truncate>
          {sourceName(one)}
        </Text>
      ),
    },
    {
      key: "privacy",
      title: t("syntheses.privacy"),
      width: 110,
      from: "lg",
      render: (one) => <Score value={one.privacy} />,
    },
    {
      key: "accuracy",
      title: t("syntheses.accuracy"),
      width: 110,
      from: "lg",
      render: (one) => <Score value={one.accuracy} />,
    },
    {
      key: "state",
      title: t("syntheses.state"),
      width: 170,
      from: "xs",
      render: (one) => <StatusBadge status={one.execution_status ?? "none"} size="lg" />,
    },
    {
      key: "changed",
      title: t("syntheses.changed"),
      width: 140,
      from: "sm",
      render: (one) => <span title={moment(one.updated_at)}>{ago(one.updated_at)}</span>,
    },
    {
      key: "menu",
      title: <VisuallyHidden>{t("common.actions")}</VisuallyHidden>,
      width: 64,
      align: "right",
      isApart: true,
      render: (one) => <RowMenu name={one.name} actions={actions(one)} />,
    },
  ];
  return hasPanel ? all.filter((one) => !IN_PANEL.has(one.key)) : all;
}

function useActions(act: (what: Act, synthesis: Synthesis) => void) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (one: Synthesis) => {
    const all = [
      {
        label: t("syntheses.configure"),
        icon: <IconAdjustments size={16} />,
        act: () => void navigate(`/syntheses/${one.id}/configure`),
        from: "edit",
      },
      {
        label: t("common.rename"),
        icon: <IconPencil size={16} />,
        act: () => act("rename", one),
        from: "edit",
      },
      {
        label: t("syntheses.clone"),
        icon: <IconCopy size={16} />,
        act: () => act("clone", one),
        from: "own",
      },
      {
        label: t("syntheses.exportYaml"),
        icon: <IconFileExport size={16} />,
        act: () => act("export", one),
        from: "view",
      },
      {
        label: t("common.delete"),
        icon: <IconTrash size={16} />,
        act: () => act("delete", one),
        from: "own",
        isGrave: true,
      },
    ];
    const rank = LEVELS.indexOf(one.level);
    return all.filter((action) => LEVELS.indexOf(action.from) <= rank);
  };
}

const LEVELS = ["view", "run", "edit", "own"];
