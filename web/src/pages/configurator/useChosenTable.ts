import { useEffect, useState } from "react";
import { useConfiguration } from "./context";
import type { TableView } from "./model/view";

/** The table that is looked at: where an alert led to, else where somebody was, else the first. */
export function useChosenTable(tables: TableView[]): [TableView | null, (name: string) => void] {
  const { spot, step } = useConfiguration();
  const led = spot?.step === step ? spot.table : null;
  const [name, choose] = useState(led);
  useEffect(() => {
    if (led !== null && spot) choose(led);
  }, [led, spot]);
  return [tables.find((one) => one.name === name) ?? tables[0] ?? null, choose];
}
