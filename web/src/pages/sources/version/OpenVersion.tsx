import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconProgressAlert } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { SOURCE_LIST, type Source, type SourceVersion, sealVersion, sourceKey } from "../../../api/sources";
import { Problem } from "../../../parts/Problem";

/** An upload that did not come to its end: to go on, or to close as it is. */
export function OpenVersion({
  source,
  version,
  onUpload,
}: {
  source: Source;
  version: SourceVersion | undefined;
  onUpload: () => void;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const seal = useMutation({
    mutationFn: sealVersion,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: SOURCE_LIST });
      await client.invalidateQueries({ queryKey: sourceKey(source.id) });
    },
  });
  const count = version?.files.length ?? 0;
  return (
    <Alert
      color="orange"
      icon={<IconProgressAlert />}
      title={t("sources.page.openTitle", { number: version?.number ?? 1 })}
    >
      <Stack gap="sm">
        <Text size="sm">{count ? t("sources.page.openText", { count }) : t("sources.page.openEmpty")}</Text>
        {seal.isError && <Problem error={seal.error} />}
        <Group gap="sm">
          <Button size="xs" onClick={onUpload}>
            {t("sources.page.goOn")}
          </Button>
          {version && count > 0 && (
            <Button size="xs" variant="default" loading={seal.isPending} onClick={() => seal.mutate(version)}>
              {t("sources.page.seal")}
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
