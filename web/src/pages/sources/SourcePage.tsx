import { Anchor, Button, Group, Select, Stack } from "@mantine/core";
import { IconChevronLeft, IconPencil, IconSparkles, IconTrash, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { type Source, type SourceVersion, useSource, useSourceVersions } from "../../api/sources";
import { PageHead } from "../../parts/PageHead";
import { PageLoader } from "../../parts/PageLoader";
import { Problem } from "../../parts/Problem";
import { RowMenu } from "../../parts/RowMenu";
import { useFormat } from "../../words/format";
import { DeleteSource, RenameSource } from "./SourceDialogs";
import { UploadDialog } from "./upload/UploadDialog";
import { OpenVersion } from "./version/OpenVersion";
import { VersionView } from "./version/VersionView";

type Open = "upload" | "rename" | "delete" | null;

/** One source: its versions, and what is in the one that is shown. */
export function SourcePage() {
  const { sourceId = "" } = useParams();
  const source = useSource(sourceId);
  const versions = useSourceVersions(sourceId);
  if (source.isError) throw source.error;
  if (versions.isError) return <Problem error={versions.error} onRetry={() => void versions.refetch()} />;
  if (source.isPending || versions.isPending) return <PageLoader />;
  return <Shown source={source.data} versions={versions.items} />;
}

function Shown({ source, versions }: { source: Source; versions: SourceVersion[] }) {
  const { t } = useTranslation();
  const { date } = useFormat();
  const navigate = useNavigate();
  const [search, setSearch] = useSearchParams();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const sealed = versions.filter((one) => one.sealed);
  const unfinished = versions.find((one) => !one.sealed);
  const shown = sealed.find((one) => String(one.number) === search.get("version")) ?? sealed[0];
  const show = (number: string | null) => setSearch(number ? { version: number } : {}, { replace: true });

  return (
    <>
      <Anchor component={Link} to="/sources" size="sm" c="dimmed">
        <Group gap={4} component="span" display="inline-flex" mb={4}>
          <IconChevronLeft size={16} aria-hidden />
          {t("sources.page.back")}
        </Group>
      </Anchor>
      <PageHead title={source.name}>
        {sealed.length > 1 && (
          <Select
            aria-label={t("sources.page.versionLabel")}
            w={230}
            allowDeselect={false}
            value={String(shown?.number)}
            onChange={show}
            data={sealed.map((one) => ({
              value: String(one.number),
              label: t("sources.page.versionOf", { number: one.number, date: date(one.created_at) }),
            }))}
          />
        )}
        <Button variant="default" leftSection={<IconUpload size={18} />} onClick={() => setOpen("upload")}>
          {t(sealed.length ? "sources.newVersion" : "sources.upload")}
        </Button>
        {shown && (
          <Button
            component={Link}
            to={`/syntheses?create=${source.id}`}
            leftSection={<IconSparkles size={18} />}
          >
            {t("sources.synthesize")}
          </Button>
        )}
        <RowMenu
          name={source.name}
          actions={[
            { label: t("common.rename"), icon: <IconPencil size={16} />, act: () => setOpen("rename") },
            {
              label: t("common.delete"),
              icon: <IconTrash size={16} />,
              act: () => setOpen("delete"),
              isGrave: true,
            },
          ]}
        />
      </PageHead>
      <Stack>
        {(unfinished || !shown) && (
          <OpenVersion source={source} version={unfinished} onUpload={() => setOpen("upload")} />
        )}
        {shown && <VersionView key={shown.number} version={shown} />}
      </Stack>
      {open === "upload" && (
        <UploadDialog
          source={source}
          onClose={close}
          onDone={(version) => {
            close();
            show(String(version.number));
          }}
        />
      )}
      {open === "rename" && <RenameSource source={source} onClose={close} />}
      {open === "delete" && (
        <DeleteSource source={source} onClose={close} onDeleted={() => navigate("/sources")} />
      )}
    </>
  );
}
