import { Center, Loader } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** What stands where a page is about to be. */
export function PageLoader() {
  const { t } = useTranslation();
  return (
    <Center h="60vh" role="status" aria-label={t("common.loading")}>
      <Loader />
    </Center>
  );
}
