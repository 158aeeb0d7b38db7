import {
  Avatar,
  Menu,
  SegmentedControl,
  Stack,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from "@mantine/core";
import { IconLogout, IconSettings } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { LANGUAGES, type Language, speak } from "../words";
import { useSignOut, useUser } from "./session";

/** Who is signed in, how the application looks and speaks, and the way out. */
export function AccountMenu() {
  const { t, i18n } = useTranslation();
  const user = useUser();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={280} withinPortal>
      <Menu.Target>
        <UnstyledButton>
          <VisuallyHidden>{t("nav.account", { name: user.name })}</VisuallyHidden>
          <Avatar name={user.name} color="initials" radius="xl" aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Stack gap={0} px="sm" py="xs">
          <Text fw={600} truncate>
            {user.name}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {user.email}
          </Text>
        </Stack>
        <Menu.Divider />
        <Menu.Label>{t("nav.theme")}</Menu.Label>
        <SegmentedControl
          mx="sm"
          mb="xs"
          size="xs"
          aria-label={t("nav.theme")}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
          data={[
            { value: "light", label: t("nav.light") },
            { value: "dark", label: t("nav.dark") },
            { value: "auto", label: t("nav.system") },
          ]}
        />
        <Menu.Label>{t("nav.language")}</Menu.Label>
        <SegmentedControl
          mx="sm"
          mb="xs"
          size="xs"
          aria-label={t("nav.language")}
          value={i18n.language}
          onChange={(value) => speak(value as Language)}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
        />
        <Menu.Divider />
        <Menu.Item leftSection={<IconSettings size={16} />} onClick={() => navigate("/settings")}>
          {t("nav.settings")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          {t("nav.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
