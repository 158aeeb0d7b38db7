import { Badge, Loader } from "@mantine/core";
import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClock,
  IconPlayerPause,
  IconPlayerStop,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Synthesis } from "../../api/syntheses";

type Status = NonNullable<Synthesis["execution_status"]> | "none";

const LOOKS: Record<Status, { color: string; Icon: typeof IconClock | null }> = {
  none: { color: "gray", Icon: IconCircleDashed },
  queued: { color: "blue", Icon: IconClock },
  running: { color: "blue", Icon: null },
  paused: { color: "orange", Icon: IconPlayerPause },
  cancelling: { color: "gray", Icon: IconPlayerStop },
  succeeded: { color: "green", Icon: IconCircleCheck },
  failed: { color: "red", Icon: IconCircleX },
  cancelled: { color: "gray", Icon: IconPlayerStop },
};

/** How the newest execution of a synthesis stands. */
export function StatusBadge({ synthesis }: { synthesis: Synthesis }) {
  const { t } = useTranslation();
  const status = synthesis.execution_status ?? "none";
  const { color, Icon } = LOOKS[status];
  return (
    <Badge
      variant="light"
      color={color}
      tt="none"
      size="lg"
      leftSection={
        Icon ? <Icon size={15} aria-hidden /> : <Loader size={13} type="oval" color={color} aria-hidden />
      }
    >
      {t(`syntheses.status.${status}`)}
    </Badge>
  );
}
