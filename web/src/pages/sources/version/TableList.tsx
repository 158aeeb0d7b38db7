import { Card, Stack, Text, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DetectedTable } from "../../../api/sources";
import { SearchInput } from "../../../parts/SearchInput";
import { useFormat } from "../../../words/format";
import classes from "./TableList.module.css";

const MANY = 8;

/** The tables to choose from, hundreds if need be. */
export function TableList({
  tables,
  chosen,
  onChoose,
}: {
  tables: readonly DetectedTable[];
  chosen: string;
  onChoose: (name: string) => void;
}) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const [text, setText] = useState("");
  const shown = tables.filter((one) => one.name.toLowerCase().includes(text.trim().toLowerCase()));
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 54,
    overscan: 8,
  });
  return (
    <Stack gap="sm">
      {tables.length > MANY && (
        <SearchInput label={t("sources.page.searchTables")} value={text} onChange={setText} />
      )}
      <Card padding={6}>
        <div ref={scroller} className={classes.scroller}>
          <ul className={classes.list} style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map((item) => {
              const table = shown[item.index];
              if (!table) return null;
              return (
                <li
                  key={table.name}
                  className={classes.item}
                  style={{ transform: `translateY(${item.start}px)`, height: item.size }}
                >
                  <UnstyledButton
                    className={classes.table}
                    aria-current={table.name === chosen || undefined}
                    onClick={() => onChoose(table.name)}
                  >
                    <Text size="sm" fw={550} truncate>
                      {table.name}
                    </Text>
                    <Text size="xs" c="dimmed" truncate>
                      {t("sources.page.rows", { count: table.rows, amount: number(table.rows) })}
                      {" · "}
                      {t("sources.page.columns", { count: table.columns.length })}
                    </Text>
                  </UnstyledButton>
                </li>
              );
            })}
          </ul>
        </div>
      </Card>
    </Stack>
  );
}
