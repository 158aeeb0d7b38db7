import { notifications } from "@mantine/notifications";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";

/** Tells what became of something that has no place of its own on the page. */
export function useTell() {
  const { t } = useTranslation();
  return useMemo(
    () => ({
      done: (message: string) => notifications.show({ message, color: "teal" }),
      refused: (error: unknown) =>
        notifications.show({
          color: "red",
          autoClose: 12_000,
          title:
            error instanceof ApiError && error.problem.message
              ? error.problem.message
              : t("error.unexpected"),
          message: error instanceof ApiError ? error.problem.remedy : t("error.unexpectedRemedy"),
        }),
    }),
    [t],
  );
}
