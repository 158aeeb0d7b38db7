import {
  Button,
  Card,
  Group,
  Modal,
  NumberInput,
  Select,
  Skeleton,
  Stack,
  Switch,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Quota } from "../../api/account";
import { type Person, useChangeQuota, useQuotasOf } from "../../api/people";
import { Problem } from "../../parts/Problem";
import { QuotaMeter } from "../../parts/QuotaMeter";

const PERIODS: Quota["period"][] = ["day", "week", "month", "year"];
const UNITS = { seconds: 3600, rows: 1 }; // people think in hours

/** The dialog with what somebody may use: what is used now, and the limits. */
export function QuotasDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t } = useTranslation();
  const quotas = useQuotasOf(person.id);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("admin.quotas.title", { name: person.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        {quotas.isError && <Problem error={quotas.error} onRetry={() => quotas.refetch()} />}
        {quotas.isPending && <Skeleton h={200} radius="lg" />}
        {quotas.data?.map((quota) => (
          <QuotaForm key={quota.resource} quota={quota} personId={person.id} />
        ))}
      </Stack>
    </Modal>
  );
}

function QuotaForm({ quota, personId }: { quota: Quota; personId: string }) {
  const { t } = useTranslation();
  const change = useChangeQuota(personId);
  const unit = UNITS[quota.resource];
  const [isLimited, setLimited] = useState(quota.limit !== null);
  const [limit, setLimit] = useState<number | string>((quota.limit ?? 0) / unit);
  const [period, setPeriod] = useState(quota.period);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { resource: quota.resource, period, limit: isLimited ? Number(limit) * unit : null },
      { onSuccess: () => notifications.show({ message: t("common.saved") }) },
    );
  };
  const title = t(`settings.quota.${quota.resource}`);
  return (
    <Card component="section" aria-label={title}>
      <form onSubmit={submit}>
        <Stack>
          <Title order={3} size="h5">
            {title}
          </Title>
          <QuotaMeter quota={quota} />
          {change.isError && <Problem error={change.error} />}
          <Group align="flex-end">
            <Switch
              label={t("admin.quotas.limited")}
              checked={isLimited}
              onChange={(event) => setLimited(event.currentTarget.checked)}
              mb={8}
            />
            <NumberInput
              label={t(quota.resource === "seconds" ? "admin.quotas.hours" : "admin.quotas.rows")}
              flex="1 1 140px"
              min={0}
              thousandSeparator=" "
              disabled={!isLimited}
              required={isLimited}
              value={isLimited ? limit : ""}
              onChange={setLimit}
            />
            <Select
              label={t("admin.quotas.period")}
              flex="1 1 140px"
              allowDeselect={false}
              value={period}
              onChange={(value) => value && setPeriod(value as Quota["period"])}
              data={PERIODS.map((value) => ({ value, label: t(`admin.quotas.periods.${value}`) }))}
            />
            <Button
              type="submit"
              variant="light"
              loading={change.isPending}
              aria-label={`${t("common.save")}: ${title}`}
            >
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
