import { IconHistory, IconLock, IconReceipt, IconUsers } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useUser } from "../../app/session";
import { AddressTabs } from "../../parts/AddressTabs";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { Audit } from "./Audit";
import { People } from "./People";
import { Receipts } from "./Receipts";

/** People, quotas, and the record of what was done. */
export function AdminPage() {
  const { t } = useTranslation();
  const user = useUser();
  return (
    <>
      <PageHead title={t("nav.admin")} about={user.role === "admin" && t("admin.about")} />
      {user.role === "admin" ? (
        <AddressTabs
          base="/admin"
          label={t("nav.admin")}
          tabs={[
            {
              key: "people",
              label: t("admin.tabs.people"),
              icon: <IconUsers size={18} />,
              content: <People />,
            },
            {
              key: "audit",
              label: t("admin.tabs.audit"),
              icon: <IconHistory size={18} />,
              content: <Audit />,
            },
            {
              key: "receipts",
              label: t("admin.tabs.receipts"),
              icon: <IconReceipt size={18} />,
              content: <Receipts />,
            },
          ]}
        />
      ) : (
        <Empty icon={<IconLock size={32} />} title={t("admin.refusedTitle")}>
          {t("admin.refused")}
        </Empty>
      )}
    </>
  );
}
