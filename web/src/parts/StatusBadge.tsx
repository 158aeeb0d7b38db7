import { Badge, type MantineSize } from "@mantine/core";
import {
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClock,
  IconLoader2,
  IconPlayerPause,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Status } from "../api/executions";

const LOOKS = {
  none: { color: "gray", icon: IconCircleDashed },
  queued: { color: "gray", icon: IconClock },
  running: { color: "kin", icon: IconLoader2 },
  paused: { color: "orange", icon: IconPlayerPause },
  cancelling: { color: "gray", icon: IconLoader2 },
  succeeded: { color: "teal", icon: IconCircleCheck },
  failed: { color: "red", icon: IconCircleX },
  cancelled: { color: "gray", icon: IconBan },
} as const;

/** The state of an execution in words, with an icon; or that there is none. */
export function StatusBadge({ status, size = "md" }: { status: Status | "none"; size?: MantineSize }) {
  const { t } = useTranslation();
  const { color, icon: Icon } = LOOKS[status];
  return (
    <Badge
      variant="light"
      color={color}
      size={size}
      tt="none"
      fw={600}
      leftSection={<Icon size={size === "sm" ? 12 : 14} aria-hidden />}
      style={{ flex: "none" }}
    >
      {t(`parts.status.${status}`)}
    </Badge>
  );
}
