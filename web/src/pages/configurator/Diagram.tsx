import "@xyflow/react/dist/style.css";
import dagre from "@dagrejs/dagre";
import { useMantineColorScheme } from "@mantine/core";
import { IconAsterisk, IconTable } from "@tabler/icons-react";
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from "@xyflow/react";
import { memo, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../words/format";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { findRoots, type RelationView, type TableView, type View } from "./model/view";

type TableNode = Node<{ table: TableView; isRoot: boolean; isChosen: boolean; rows: string }, "table">;

const WIDTH = 190;
const HEIGHT = 58;
const NODE_TYPES = { table: DrawnTable };

interface Props {
  chosen: string | null;
  onChoose: (table: string | null) => void;
  onOpen: (relation: RelationView) => void;
}

/** Tables and what connects them, parents above their children; both can be clicked and reached by keyboard. */
export const Diagram = memo(function Diagram({ chosen, onChoose, onOpen }: Props) {
  const { t } = useTranslation();
  const { view } = useConfiguration();
  const { colorScheme } = useMantineColorScheme();
  const format = useFormat();
  const places = useMemo(() => arrange(view), [view]);
  const roots = useMemo(() => new Set(findRoots(view)), [view]);
  const active = useMemo(() => view.relations.filter((one) => one.isActive), [view]);
  const nodes = useMemo((): TableNode[] => {
    const degree = new Map<string, number>();
    for (const name of active.flatMap((one) => [...new Set([one.table, one.parent])]))
      degree.set(name, (degree.get(name) ?? 0) + 1);
    return view.tables
      .filter((one) => one.isIncluded)
      .map((table) => ({
        id: table.name,
        type: "table",
        position: places.get(table.name) ?? { x: 0, y: 0 },
        data: {
          table,
          isRoot: roots.has(table.name),
          isChosen: chosen === table.name,
          rows: t("configurator.tables.rows", { count: table.rows, shown: format.number(table.rows) }),
        },
        width: WIDTH,
        height: HEIGHT,
        draggable: false,
        connectable: false,
        ariaLabel: t("configurator.relations.node", {
          name: table.name,
          rows: format.number(table.rows),
          count: degree.get(table.name) ?? 0,
        }),
      }));
  }, [view, active, places, roots, chosen, t, format]);
  const edges = useMemo(
    (): Edge[] =>
      active.map((one) => ({
        id: one.id,
        source: one.parent,
        target: one.table,
        label: places.size <= 40 ? one.columns.join(", ") : undefined,
        markerStart: { type: MarkerType.ArrowClosed, width: 18, height: 18 },
        animated: false,
        className: classes.edge,
        selected: chosen !== null && (one.table === chosen || one.parent === chosen),
        ariaLabel: t("configurator.relations.edit", {
          child: `${one.table}.${one.columns.join(", ")}`,
          parent: one.parent,
        }),
        interactionWidth: 24,
      })),
    [active, places, chosen, t],
  );
  return (
    <div className={classes.diagram}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={colorScheme === "auto" ? "system" : colorScheme}
        fitView
        fitViewOptions={{ maxZoom: 1.1, padding: 0.12 }}
        minZoom={0.05}
        nodesFocusable
        edgesFocusable
        deleteKeyCode={null}
        onlyRenderVisibleElements={nodes.length > 60}
        aria-label={t("configurator.relations.readDiagram")}
        onNodeClick={(_, node) => onChoose(node.id === chosen ? null : node.id)}
        onPaneClick={() => onChoose(null)}
        onEdgeClick={(_, edge) => {
          const relation = active.find((one) => one.id === edge.id);
          if (relation) onOpen(relation);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
          const relation = active.find((one) => one.id === focused?.dataset.id);
          if (relation) onOpen(relation);
          else if (focused?.dataset.id) onChoose(focused.dataset.id);
          if (focused) event.preventDefault();
        }}
      >
        <Background gap={18} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
});

function DrawnTable({ data }: NodeProps<TableNode>) {
  const { t } = useTranslation();
  const { table, isRoot, isChosen, rows } = data;
  return (
    <div
      className={classes.node}
      data-chosen={isChosen || undefined}
      data-original={table.isOriginal || undefined}
    >
      <Handle type="target" position={Position.Top} className={classes.handle} />
      {table.isOriginal ? (
        <IconAsterisk size={18} stroke={2.2} role="img" aria-label={t("configurator.tables.original")} />
      ) : (
        <IconTable size={18} stroke={1.6} aria-hidden />
      )}
      <span className={classes.nodeWords}>
        <span className={classes.nodeName} title={table.name}>
          {table.name}
        </span>
        <span className={classes.nodeRows}>
          {rows}
          {isRoot && ` · ${t("configurator.relations.roots")}`}
        </span>
      </span>
      <Handle type="source" position={Position.Bottom} className={classes.handle} />
    </div>
  );
}

/** Give each table a place: those without a connection stand in rows below the others. */
function arrange(view: View): Map<string, { x: number; y: number }> {
  const active = view.relations.filter((one) => one.isActive && one.table !== one.parent);
  const connected = new Set(active.flatMap((one) => [one.table, one.parent]));
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 36, ranksep: 64 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of connected) graph.setNode(name, { width: WIDTH, height: HEIGHT });
  for (const one of active) graph.setEdge(one.parent, one.table, {}, one.id);
  if (connected.size > 0) dagre.layout(graph);
  const places = new Map<string, { x: number; y: number }>();
  let bottom = 0;
  for (const name of connected) {
    const { x, y } = graph.node(name) as { x: number; y: number };
    places.set(name, { x: x - WIDTH / 2, y: y - HEIGHT / 2 });
    bottom = Math.max(bottom, y + HEIGHT);
  }
  const alone = view.tables.filter((one) => one.isIncluded && !connected.has(one.name));
  const across = Math.max(4, Math.ceil(Math.sqrt(alone.length * 0.6)));
  alone.forEach((one, index) => {
    places.set(one.name, {
      x: (index % across) * (WIDTH + 36),
      y: bottom + 20 + Math.floor(index / across) * (HEIGHT + 28),
    });
  });
  return places;
}
