import {
  IconDeviceDesktop,
  IconFolderShare,
  IconGauge,
  IconKey,
  IconPalette,
  IconUser,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { AddressTabs } from "../../parts/AddressTabs";
import { PageHead } from "../../parts/PageHead";
import { Appearance } from "./Appearance";
import { Destinations } from "./Destinations";
import { OwnQuota } from "./OwnQuota";
import { Profile } from "./Profile";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";

/** One's own account, what one may use, and how the application looks. */
export function SettingsPage() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t("nav.settings")} about={t("settings.about")} />
      <AddressTabs
        base="/settings"
        label={t("nav.settings")}
        tabs={[
          {
            key: "profile",
            label: t("settings.tabs.profile"),
            icon: <IconUser size={18} />,
            content: <Profile />,
          },
          {
            key: "tokens",
            label: t("settings.tabs.tokens"),
            icon: <IconKey size={18} />,
            content: <Tokens />,
          },
          {
            key: "quota",
            label: t("settings.tabs.quota"),
            icon: <IconGauge size={18} />,
            content: <OwnQuota />,
          },
          {
            key: "sessions",
            label: t("settings.tabs.sessions"),
            icon: <IconDeviceDesktop size={18} />,
            content: <Sessions />,
          },
          {
            key: "destinations",
            label: t("settings.tabs.destinations"),
            icon: <IconFolderShare size={18} />,
            content: <Destinations />,
          },
          {
            key: "appearance",
            label: t("settings.tabs.appearance"),
            icon: <IconPalette size={18} />,
            content: <Appearance />,
          },
        ]}
      />
    </>
  );
}
