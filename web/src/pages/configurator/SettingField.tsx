import {
  ActionIcon,
  Badge,
  NativeSelect,
  NumberInput,
  Switch,
  TagsInput,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconRotate2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./Configurator.module.css";
import { useConfiguration } from "./context";
import { type Place, read, same } from "./model/document";
import { set } from "./model/edits";
import type { Field } from "./model/schema";

const UNITS = [
  "bytes",
  "seconds",
  "rows",
  "root rows",
  "columns",
  "cells",
  "share",
  "epochs",
  "steps",
  "batches",
  "validations",
  "threads",
  "texts",
  "characters",
  "digits",
  "degrees",
  "subjects",
] as const;

/** One field of the document, made from its schema: what is not built yet can be seen, and not be set. */
export function SettingField({ field, place }: { field: Field; place: Place }) {
  const { t } = useTranslation();
  const { document } = useConfiguration();
  const said = read(document, place);
  const isChanged = said !== undefined && !same(said, field.default);
  return (
    <div className={classes.setting} data-changed={isChanged || undefined}>
      <div className={classes.settingInput}>
        <Input field={field} place={place} said={said} />
      </div>
      {!field.isAvailable && (
        <Badge size="sm" variant="light" color="gray" className={classes.later}>
          {t("configurator.settings.later")}
        </Badge>
      )}
      {isChanged && <Reset field={field} place={place} />}
    </div>
  );
}

function Reset({ field, place }: { field: Field; place: Place }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const label = t("configurator.settings.reset", { name: field.title });
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        onClick={() => edit(set(place, undefined))}
      >
        <IconRotate2 size={17} />
      </ActionIcon>
    </Tooltip>
  );
}

function Input({ field, place, said }: { field: Field; place: Place; said: unknown }) {
  const { t } = useTranslation();
  const { edit } = useConfiguration();
  const unit = UNITS.find((one) => one === field.unit);
  const words = {
    label: unit ? `${field.title} (${t(`configurator.units.${unit}`)})` : field.title,
    description: field.help,
    disabled: !field.isAvailable,
  };
  const write = (value: unknown) => edit(set(place, same(value, field.default) ? undefined : value));
  const value = said ?? field.default;
  switch (field.kind) {
    case "boolean":
      return field.isOptional ? null : (
        <Switch
          {...words}
          checked={value === true}
          onChange={(event) => write(event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <NativeSelect
          {...words}
          value={value == null ? "" : String(value)}
          onChange={(event) => write(event.currentTarget.value || null)}
        >
          {field.isOptional && <option value="">{t("configurator.settings.auto")}</option>}
          {field.choices.map((one) => {
            const isLater = field.availableValues !== null && !field.availableValues.includes(one);
            return (
              <option key={one} value={one} disabled={isLater}>
                {isLater ? t("configurator.treatment.later", { name: one }) : one}
              </option>
            );
          })}
        </NativeSelect>
      );
    case "integer":
    case "number":
      return (
        <NumberInput
          {...words}
          value={typeof value === "number" ? value : ""}
          placeholder={field.isOptional ? t("configurator.settings.auto") : undefined}
          min={field.isOpen ? undefined : field.minimum}
          max={field.maximum}
          clampBehavior="none"
          error={isOutside(field, value) || undefined}
          allowDecimal={field.kind === "number"}
          decimalScale={field.kind === "number" ? 9 : 0}
          step={stepOf(field)}
          thousandSeparator={field.kind === "integer" ? " " : undefined}
          onChange={(typed) => write(typed === "" ? (field.isOptional ? null : undefined) : Number(typed))}
        />
      );
    case "text":
      return (
        <TextInput
          {...words}
          value={value == null ? "" : String(value)}
          placeholder={field.isOptional ? t("configurator.settings.auto") : undefined}
          onChange={(event) => write(event.currentTarget.value || (field.isOptional ? null : ""))}
        />
      );
    case "texts":
      return (
        <TagsInput
          {...words}
          value={Array.isArray(value) ? value.map(String) : []}
          onChange={write}
          splitChars={[]}
          acceptValueOnBlur
        />
      );
    case "numbers":
      return (
        <TextInput
          {...words}
          key={JSON.stringify(value)}
          defaultValue={Array.isArray(value) ? value.join(", ") : ""}
          placeholder={t("configurator.settings.auto")}
          onBlur={(event) => {
            const numbers = event.currentTarget.value
              .split(/[\s,;]+/)
              .filter(Boolean)
              .map(Number);
            const isWhole = numbers.length === field.size && numbers.every(Number.isFinite);
            if (isWhole || numbers.length === 0) write(isWhole ? numbers : null);
          }}
        />
      );
    default:
      return null;
  }
}

function isOutside(field: Field, value: unknown): boolean {
  if (typeof value !== "number") return false;
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, isOpen } = field;
  return value > maximum || value < minimum || (isOpen && value === minimum);
}

/** A step of a number's size: a tenth of the default for shares and rates. */
function stepOf(field: Field): number {
  if (field.kind === "integer") return 1;
  const size = typeof field.default === "number" && field.default > 0 ? field.default : 0.01;
  return 10 ** Math.floor(Math.log10(size));
}
