// biome-ignore-all lint/a11y/useSemanticElements: rows and columns that are not drawn need places by hand
// biome-ignore-all lint/a11y/useFocusableInteractive: cells are read, not operated; the scroller has the focus
import { Box, Group, NumberInput, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type QueryKey, useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../words/format";
import classes from "./DataGrid.module.css";
import { Problem } from "./Problem";
import { Shield, type ShieldState } from "./Shield";
import { TypeIcon } from "./TypeIcon";

export type GridRow = readonly (string | null)[];

export interface GridColumn {
  name: string;
  type?: string | null;
  isKey?: boolean;
  shield?: ShieldState | null;
}

interface Given {
  rows: readonly GridRow[];
}

interface Fetched {
  /** Gives some rows from an offset; fewer than asked for where they are large. */
  fetchRows: (offset: number, limit: number, signal: AbortSignal) => Promise<readonly GridRow[]>;
  rowCount: number;
  /** Names what is read: pages are kept under it. */
  queryKey: QueryKey;
}

type Props = { label: string; columns: readonly GridColumn[]; height?: number | string } & (Given | Fetched);

const ROW = 34;
const HEAD = 44;
const PAGE = 100;
const SAMPLE = 40; // rows that say how wide a column is
const LETTER = 8.4; // pixels, on the average
const BOLD_LETTER = 9.8;
const MOST = 250_000; // a browser's page is at most some 17 million pixels high
const RIGHT = new Set(["integer", "numeric"]);

/** Rows of a table, of any length and width: only what is seen is asked for and drawn. */
export function DataGrid(props: Props) {
  const { label, columns, height = 520 } = props;
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const total = "rows" in props ? props.rows.length : props.rowCount;
  const [start, setStart] = useState(0); // of the stretch of rows that can be scrolled through
  const count = Math.min(MOST, total - start);
  const gutter = Math.max(52, String(total).length * 9 + 24);

  const down = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    scrollMargin: HEAD,
    scrollPaddingStart: HEAD,
  });
  const items = down.getVirtualItems();
  const first = start + (items[0]?.index ?? 0);
  const last = start + (items.at(-1)?.index ?? -1);
  const pages = useRows(props, first, last);
  const widths = useWidths(columns, pages.sample);
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => widths[index] ?? 120,
    overscan: 3,
    scrollMargin: gutter,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured is old once widths are new
  useEffect(() => across.measure(), [widths]);
  const shown = across.getVirtualItems();
  const width = across.getTotalSize() + gutter;
  const format = useFormat();

  const goTo = (row: number) => {
    const place = Math.max(0, Math.min(total, row) - 1);
    const within = place < start || place >= start + MOST ? Math.floor(place / MOST) * MOST : start;
    setStart(within);
    requestAnimationFrame(() => down.scrollToIndex(place - within, { align: "start" }));
  };

  return (
    <Box className={classes.frame}>
      {pages.error != null && <Problem error={pages.error} onRetry={pages.retry} />}
      <div
        ref={scroller}
        className={classes.scroller}
        style={{ maxHeight: height, height: count * ROW + HEAD + 18 }}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        role="table"
        aria-label={label}
        aria-rowcount={total + 1}
        aria-colcount={columns.length + 1}
      >
        <div className={classes.head} role="row" aria-rowindex={1} style={{ width, height: HEAD }}>
          <div className={classes.corner} role="columnheader" style={{ width: gutter }} aria-colindex={1}>
            <span className={classes.unseen}>{t("parts.grid.rowNumber")}</span>
          </div>
          {shown.map((item) => {
            const column = columns[item.index];
            return (
              column && (
                <div
                  key={item.index}
                  role="columnheader"
                  aria-colindex={item.index + 2}
                  className={classes.name}
                  data-right={RIGHT.has(column.type ?? "") || undefined}
                  style={{ left: item.start, width: item.size }}
                >
                  {column.isKey && <TypeIcon type="key" size={16} />}
                  {column.type !== undefined && <TypeIcon type={column.type} size={16} />}
                  <span className={classes.cut} title={column.name}>
                    {column.name}
                  </span>
                  {column.shield && <Shield state={column.shield} size={16} />}
                </div>
              )
            );
          })}
        </div>
        <div role="rowgroup" style={{ height: count * ROW, width }}>
          {items.map((item) => (
            <Row
              key={item.index}
              number={start + item.index + 1}
              text={format.number(start + item.index + 1)}
              top={item.start}
              width={width}
              gutter={gutter}
              cells={pages.row(start + item.index)}
              columns={columns}
              shown={shown}
              missing={t("parts.grid.missing")}
            />
          ))}
        </div>
      </div>
      <Group justify="space-between" className={classes.foot} gap="sm">
        <Text size="sm" c="dimmed">
          {total === 0
            ? t("parts.grid.empty")
            : t("parts.grid.rowsOf", {
                first: format.number(start + (down.range?.startIndex ?? 0) + 1),
                last: format.number(Math.min(total, start + (down.range?.endIndex ?? 0) + 1)),
                total: format.number(total),
              })}
          {" · "}
          {t("parts.grid.columns", { count: columns.length })}
        </Text>
        {total > PAGE && (
          <NumberInput
            size="xs"
            w={132}
            min={1}
            max={total}
            hideControls
            placeholder={t("parts.grid.goTo")}
            aria-label={t("parts.grid.goTo")}
            allowDecimal={false}
            onKeyDown={(event) => {
              if (event.key === "Enter") goTo(Number(event.currentTarget.value) || 1);
            }}
          />
        )}
      </Group>
    </Box>
  );
}

interface Rows {
  row: (index: number) => GridRow | undefined;
  sample: readonly GridRow[] | undefined;
  error: unknown;
  retry: () => void;
}

/** Give the rows between two, by pages; pages that are scrolled past are not asked for. */
function useRows(props: Props, first: number, last: number): Rows {
  const isGiven = "rows" in props;
  const wanted = last < first ? "0" : `${Math.floor(first / PAGE)}`;
  const upTo = Math.max(Number(wanted), Math.floor(last / PAGE));
  const [settled] = useDebouncedValue(`${wanted}-${upTo}`, 90);
  const [from = 0, to = 0] = settled.split("-").map(Number);
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const queries = useQueries({
    queries: numbers.map((page) => ({
      queryKey: isGiven ? ["no rows", page] : [...props.queryKey, "rows", page],
      enabled: !isGiven && props.rowCount > 0,
      staleTime: Number.POSITIVE_INFINITY,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        isGiven
          ? []
          : readPage(props.fetchRows, page * PAGE, Math.min(PAGE, props.rowCount - page * PAGE), signal),
    })),
  });
  if (isGiven)
    return {
      row: (index) => props.rows[index],
      sample: props.rows.slice(0, SAMPLE),
      error: null,
      retry: () => {},
    };
  const byPage = new Map(numbers.map((page, index) => [page, queries[index]?.data]));
  const failed = queries.filter((query) => query.isError);
  return {
    row: (index) => byPage.get(Math.floor(index / PAGE))?.[index % PAGE],
    sample: queries.find((query) => query.data?.length)?.data?.slice(0, SAMPLE),
    error: failed[0]?.error ?? null,
    retry: () => {
      for (const query of failed) void query.refetch();
    },
  };
}

/** Read a whole page, in several answers where its rows are large. */
async function readPage(
  fetchRows: Fetched["fetchRows"],
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<GridRow[]> {
  const rows: GridRow[] = [];
  while (rows.length < limit) {
    const more = await fetchRows(offset + rows.length, limit - rows.length, signal);
    if (more.length === 0) break;
    rows.push(...more);
  }
  return rows;
}

/** Give each column room for its name and for what the first rows hold, once rows are there. */
function useWidths(columns: readonly GridColumn[], sample: readonly GridRow[] | undefined): number[] {
  const kept = useRef({ columns, sample });
  if (kept.current.columns !== columns || !kept.current.sample) kept.current = { columns, sample };
  const { sample: rows } = kept.current;
  return useMemo(
    () =>
      columns.map((column, index) => {
        const icons = [column.type !== undefined, column.isKey, column.shield].filter(Boolean).length;
        const letters = Math.max(0, ...(rows ?? []).map((row) => row[index]?.length ?? 0));
        const needed = Math.max(column.name.length * BOLD_LETTER + icons * 24, letters * LETTER) + 28;
        return Math.round(Math.max(84, Math.min(300, needed)));
      }),
    [columns, rows],
  );
}

interface RowProps {
  number: number;
  text: string;
  top: number;
  width: number;
  gutter: number;
  cells: GridRow | undefined;
  columns: readonly GridColumn[];
  shown: readonly { index: number; start: number; size: number }[];
  missing: string;
}

const Row = memo(function Row({
  number,
  text,
  top,
  width,
  gutter,
  cells,
  columns,
  shown,
  missing,
}: RowProps) {
  return (
    <div
      role="row"
      aria-rowindex={number + 1}
      className={classes.row}
      data-even={number % 2 === 0 || undefined}
      style={{ transform: `translateY(${top}px)`, height: ROW, width }}
    >
      <div role="rowheader" aria-colindex={1} className={classes.number} style={{ width: gutter }}>
        {text}
      </div>
      {shown.map((item) => {
        const value = cells?.[item.index];
        return (
          <div
            key={item.index}
            role="cell"
            aria-colindex={item.index + 2}
            className={classes.cell}
            data-right={RIGHT.has(columns[item.index]?.type ?? "") || undefined}
            style={{ left: item.start, width: item.size }}
          >
            {cells === undefined ? (
              <span className={classes.waiting} />
            ) : value == null ? (
              <span className={classes.missing} title={missing}>
                null
              </span>
            ) : (
              <span className={classes.cut} title={value.length > 20 ? value : undefined}>
                {value}
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
});
