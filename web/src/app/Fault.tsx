import { Button, Container, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";
import { ApiError } from "../api/client";
import { Problem } from "../parts/Problem";

/** What stands where a page failed. */
export function Fault() {
  const error = useRouteError();
  if (error instanceof ApiError && error.status === 404) return <NotFound />;
  return (
    <Container size="sm" py="xl">
      <Problem error={error} onRetry={() => window.location.reload()} />
    </Container>
  );
}

/** What stands where nothing is. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <Container size="sm" py={80}>
      <Stack align="center">
        <Title order={1}>{t("error.notFound")}</Title>
        <Text c="dimmed">{t("error.notFoundRemedy")}</Text>
        <Button component={Link} to="/syntheses">
          {t("error.home")}
        </Button>
      </Stack>
    </Container>
  );
}
