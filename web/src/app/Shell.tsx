import { AppShell, Burger, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDatabase, IconSettings, IconSparkles, IconUsers } from "@tabler/icons-react";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, NavLink as RouterLink, useLocation } from "react-router";
import { PageLoader } from "../parts/PageLoader";
import { AccountMenu } from "./AccountMenu";
import icon from "./icon.svg";
import classes from "./Shell.module.css";
import { SignedIn, useUser } from "./session";

/** The frame around every page of people who are signed in. */
export function Shell() {
  return (
    <SignedIn>
      <Frame />
    </SignedIn>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [isOpen, menu] = useDisclosure();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 228, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={{ base: "md", md: "xl" }}
    >
      <a href="#content" className={classes.skip}>
        {t("common.skipToContent")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t("nav.open")}
            />
            <Link to="/syntheses" className={classes.brand}>
              <img src={icon} alt="" width={28} height={28} />
              <Text fw={700} size="lg" component="span">
                kinsynth
              </Text>
            </Link>
          </Group>
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label={t("nav.main")}>
        <ScrollArea onClick={menu.close}>
          <Places />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className={classes.page}>
          <Suspense fallback={<PageLoader />}>
            <Outlet />
          </Suspense>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

function Places() {
  const { t } = useTranslation();
  const user = useUser();
  const path = useLocation().pathname;
  const places = [
    { to: "/syntheses", label: t("nav.syntheses"), icon: <IconSparkles size={20} stroke={1.6} /> },
    { to: "/sources", label: t("nav.sources"), icon: <IconDatabase size={20} stroke={1.6} /> },
    { to: "/settings", label: t("nav.settings"), icon: <IconSettings size={20} stroke={1.6} /> },
  ];
  if (user.role === "admin")
    places.push({ to: "/admin", label: t("nav.admin"), icon: <IconUsers size={20} stroke={1.6} /> });
  return places.map((place) => (
    <NavLink
      key={place.to}
      component={RouterLink}
      to={place.to}
      label={place.label}
      leftSection={place.icon}
      active={path.startsWith(place.to)}
      className={classes.place}
    />
  ));
}
