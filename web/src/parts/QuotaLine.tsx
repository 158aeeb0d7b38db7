import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useOwnQuotas } from "../api/account";
import { useFormat } from "../words/format";

/** What one may still use, before something is started; nothing where there is no limit. */
export function QuotaLine() {
  const { t } = useTranslation();
  const format = useFormat();
  const quotas = useOwnQuotas();
  const amounts = (quotas.data ?? []).flatMap(({ resource, left }) =>
    left === null
      ? []
      : t(`parts.quota.${resource}`, { count: left, amount: format.resource(resource, left) }),
  );
  if (amounts.length === 0) return null;
  return (
    <Text size="sm" c="dimmed">
      {t("parts.quota.left", { what: amounts.join(", ") })}
    </Text>
  );
}
