import { Card, Table, type TableThProps } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type ReactNode,
  type SyntheticEvent,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import classes from "./RowList.module.css";

export interface RowColumn<T> {
  key: string;
  title: ReactNode;
  width?: TableThProps["w"];
  /** Width of the window from which on it is shown. */
  from?: "xs" | "sm" | "md" | "lg" | "xl";
  align?: "left" | "right";
  /** What is done in it does not reach the row. */
  isApart?: boolean;
  render: (item: T) => ReactNode;
}

const stop = (event: SyntheticEvent) => event.stopPropagation();
const APART = { onClick: stop, onDoubleClick: stop, onKeyDown: stop };

interface Props<T> {
  label: string;
  items: readonly T[];
  idOf: (item: T) => string;
  columns: readonly RowColumn<T>[];
  rowHeight?: number;
  /** Enter and a double click; a click, too, where nothing is selected by it. */
  onOpen?: (item: T) => void;
  onSelect?: (item: T) => void;
  selectedId?: string | null;
}

/** Objects in rows, as long as there are any: only what is seen is drawn; arrows, Enter and clicks work on them. */
export function RowList<T>(props: Props<T>) {
  const { label, items, idOf, columns, rowHeight = 57, onOpen, onSelect, selectedId } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const [margin, setMargin] = useState(0);
  const [active, setActive] = useState(0);
  useLayoutEffect(() => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    setMargin(top + window.scrollY);
  }, []);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: margin,
  });
  const seen = rows.getVirtualItems();
  const before = (seen[0]?.start ?? margin) - margin;
  const after = rows.getTotalSize() - ((seen.at(-1)?.end ?? margin) - margin);
  const canAct = Boolean(onOpen || onSelect);
  const here = Math.min(active, items.length - 1);

  const moveTo = (index: number) => {
    const item = items[index];
    if (!item) return;
    setActive(index);
    rows.scrollToIndex(index);
    onSelect?.(item);
    requestAnimationFrame(() => body.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus());
  };
  const press = (event: KeyboardEvent, index: number) => {
    if (event.target !== event.currentTarget) return;
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
    const item = items[index];
    if (to !== undefined) moveTo(to);
    else if (event.key === "Enter" && item) (onOpen ?? onSelect)?.(item);
    else if (event.key === " " && item) (onSelect ?? onOpen)?.(item);
    else return;
    event.preventDefault();
  };

  return (
    <Card padding={0}>
      <Table
        layout="fixed"
        role={canAct ? "grid" : undefined}
        aria-label={label}
        aria-rowcount={items.length + 1}
        highlightOnHover={canAct}
        horizontalSpacing="md"
      >
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            {columns.map((column) => (
              <Table.Th key={column.key} w={column.width} visibleFrom={column.from} ta={column.align}>
                {column.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody ref={body}>
          <Space height={before} />
          {seen.map(({ index }) => {
            const item = items[index];
            if (item === undefined) return null;
            const id = idOf(item);
            return (
              <Table.Tr
                key={id}
                data-index={index}
                data-can-open={canAct || undefined}
                aria-rowindex={index + 2}
                aria-selected={onSelect ? id === selectedId : undefined}
                tabIndex={canAct ? (index === here ? 0 : -1) : undefined}
                className={classes.row}
                h={rowHeight}
                onFocus={() => setActive(index)}
                onClick={() => (onSelect ?? onOpen)?.(item)}
                onDoubleClick={() => onOpen?.(item)}
                onKeyDown={(event) => press(event, index)}
              >
                {columns.map((column) => (
                  <Table.Td
                    key={column.key}
                    visibleFrom={column.from}
                    ta={column.align}
                    className={classes.cell}
                    {...(column.isApart && APART)}
                  >
                    {column.render(item)}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
          <Space height={after} />
        </Table.Tbody>
      </Table>
    </Card>
  );
}

/** Room for the rows that are not drawn. */
function Space({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td className={classes.space} style={{ height }} />
    </tr>
  );
}
