import { Checkbox, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { TypeIcon } from "../../parts/TypeIcon";
import classes from "./Configurator.module.css";
import type { TableView } from "./model/view";
import { VirtualList } from "./VirtualList";

interface Props {
  label: string;
  table: TableView;
  chosen: readonly string[];
  onChange: (columns: string[]) => void;
}

/** Columns of a table to choose some from, in the order in which they are chosen. */
export function ColumnPicker({ label, table, chosen, onChange }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const shown = table.columns.filter((one) => one.isIncluded && one.name.toLowerCase().includes(wanted));
  const toggle = (name: string, isOn: boolean) =>
    onChange(isOn ? [...chosen, name] : chosen.filter((one) => one !== name));
  return (
    <fieldset className={classes.picker}>
      <legend className={classes.legend}>{label}</legend>
      {table.columns.length > 8 && (
        <TextInput
          size="xs"
          m={8}
          leftSection={<IconSearch size={14} />}
          placeholder={t("configurator.columns.search")}
          aria-label={t("configurator.columns.search")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <VirtualList
        label={label}
        count={shown.length}
        rowHeight={36}
        height={220}
        keyOf={(index) => shown[index]?.name ?? ""}
      >
        {(index) => {
          const column = shown[index];
          if (!column) return null;
          const place = chosen.indexOf(column.name);
          return (
            <div className={classes.pick}>
              <Checkbox
                size="sm"
                checked={place >= 0}
                onChange={(event) => toggle(column.name, event.currentTarget.checked)}
                label={column.name}
              />
              <TypeIcon type={column.type} size={15} />
              {place >= 0 && chosen.length > 1 && (
                <Text size="xs" c="dimmed">
                  {place + 1}
                </Text>
              )}
            </div>
          );
        }}
      </VirtualList>
    </fieldset>
  );
}
