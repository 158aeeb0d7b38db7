import { Tooltip } from "@mantine/core";
import {
  IconAbc,
  IconAlignLeft,
  IconCalendar,
  IconCalendarClock,
  IconClock,
  IconDecimal,
  IconFingerprint,
  IconKey,
  IconLink,
  IconMapPin,
  IconNumber123,
  IconQuestionMark,
  IconToggleLeft,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

const ICONS = {
  boolean: IconToggleLeft,
  categorical: IconAbc,
  integer: IconNumber123,
  numeric: IconDecimal,
  date: IconCalendar,
  time: IconClock,
  datetime: IconCalendarClock,
  coordinates: IconMapPin,
  text: IconAlignLeft,
  identifier: IconFingerprint,
  reference: IconLink,
  key: IconKey,
  unknown: IconQuestionMark,
};
export type TypeName = keyof typeof ICONS;

/** Name a column type as the words and icons know it. */
export function typeName(type: string | null | undefined): TypeName {
  return type != null && type in ICONS ? (type as TypeName) : "unknown";
}

/** A column type as an icon with its name; `key` is that of a primary key. */
export function TypeIcon({ type, size = 18 }: { type: string | null | undefined; size?: number }) {
  const { t } = useTranslation();
  const name = typeName(type);
  const Icon = ICONS[name];
  const label = t(`parts.type.${name}`);
  return (
    <Tooltip label={label}>
      <Icon size={size} stroke={1.6} role="img" aria-label={label} style={{ flex: "none" }} />
    </Tooltip>
  );
}
