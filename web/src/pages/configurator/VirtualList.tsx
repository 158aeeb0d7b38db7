import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./Configurator.module.css";

interface Props {
  label: string;
  count: number;
  rowHeight: number;
  height: number | string;
  /** A row that is brought into view when it changes. */
  focus?: number;
  keyOf: (index: number) => string;
  children: (index: number) => ReactNode;
}

/** A list of any length: only what is seen is drawn. */
export function VirtualList({ label, count, rowHeight, height, focus, keyOf, children }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    getItemKey: keyOf,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another focus scrolls
  useEffect(() => {
    if (focus !== undefined && focus >= 0) rows.scrollToIndex(focus, { align: "center" });
  }, [focus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes of before are not those of another height
  useEffect(() => rows.measure(), [rowHeight]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div ref={scroller} className={classes.scroller} style={{ maxHeight: height }} tabIndex={0}>
      <ul aria-label={label} style={{ height: rows.getTotalSize() }} className={classes.rows}>
        {rows.getVirtualItems().map((item) => (
          <li
            key={item.key}
            aria-setsize={count}
            aria-posinset={item.index + 1}
            className={classes.row}
            style={{ transform: `translateY(${item.start}px)`, height: item.size }}
          >
            {children(item.index)}
          </li>
        ))}
      </ul>
    </div>
  );
}
