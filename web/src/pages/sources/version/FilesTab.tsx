import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { RowList } from "../../../parts/RowList";
import { useFormat } from "../../../words/format";

/** The files of a version. */
export function FilesTab({ files }: { files: Schemas["FileView"][] }) {
  const { t } = useTranslation();
  const { bytes } = useFormat();
  return (
    <RowList
      label={t("sources.page.tabs.files")}
      items={files}
      idOf={(one) => one.name}
      rowHeight={46}
      columns={[
        { key: "name", title: t("sources.file.name"), render: (one) => <b>{one.name}</b> },
        {
          key: "size",
          title: t("sources.file.size"),
          width: 120,
          align: "right",
          render: (one) => bytes(one.size),
        },
        {
          key: "digest",
          title: t("sources.file.digest"),
          from: "md",
          render: (one) => (
            <Text size="xs" ff="monospace" c="dimmed" truncate title={one.sha256}>
              {one.sha256}
            </Text>
          ),
        },
      ]}
    />
  );
}
