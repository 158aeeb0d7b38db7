import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Shield } from "../../parts/Shield";
import { TypeIcon } from "../../parts/TypeIcon";
import classes from "./Configurator.module.css";
import type { ColumnView } from "./model/view";

/** The name of a column with what it is: key, reference, sensitive. */
export function ColumnMarks({ column }: { column: ColumnView }) {
  const { t } = useTranslation();
  return (
    <span className={classes.columnName}>
      <span className={classes.cut} title={column.name}>
        {column.name}
      </span>
      {column.isPrimary && <TypeIcon type="key" size={15} />}
      {column.parents.length > 0 && (
        <Tooltip label={t("configurator.columns.references", { table: column.parents.join(", ") })}>
          <span className={classes.mark2}>
            <TypeIcon type="reference" size={15} />
          </span>
        </Tooltip>
      )}
      {column.isSensitive && <Shield state={shieldOf(column)} size={15} />}
    </span>
  );
}

/** Green where new values take the place of sensitive ones, gray where the column takes no part. */
export function shieldOf(column: ColumnView): "protected" | "excluded" {
  return column.isIncluded && column.settings.treatment !== "leave_out" ? "protected" : "excluded";
}
