import { Button, Card, Drawer, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconFileImport, IconPlus, IconSparkles } from "@tabler/icons-react";
import { useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { useSources } from "../../api/sources";
import { type Synthesis, useCloneSynthesis, useSyntheses } from "../../api/syntheses";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { Problem } from "../../parts/Problem";
import { RowList } from "../../parts/RowList";
import { SearchInput } from "../../parts/SearchInput";
import { CreateDialog } from "./CreateDialog";
import { type Act, useColumns } from "./columns";
import { ImportDialog } from "./ImportDialog";
import { SidePanel } from "./SidePanel";
import classes from "./SynthesesPage.module.css";
import { DeleteSynthesis, RenameSynthesis } from "./SynthesisDialogs";
import { saveYaml } from "./saveYaml";

type Open = { act: "import" } | { act: "rename" | "delete"; synthesis: Synthesis } | null;

/** All syntheses that somebody sees, and what can be known of one without opening it. */
export function SynthesesPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [search, setSearch] = useSearchParams();
  const syntheses = useSyntheses();
  const sourceName = useSourceNames();
  const [text, setText] = useState("");
  const [selectedId, setSelectedId] = useState<string | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const act = useAct(setOpen, setSelectedId);
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const shown = syntheses.items.filter((one) =>
    `${one.name}\n${sourceName(one)}`.toLowerCase().includes(wanted),
  );
  const selected = syntheses.items.find((one) => one.id === selectedId);
  const isWide = useMediaQuery("(min-width: 75em)", true, { getInitialValueInEffect: false });
  const columns = useColumns(Boolean(selected && isWide), sourceName, act.act);
  const close = () => setOpen(null);
  const create = () => setSearch({ create: "" });
  const hasSome = syntheses.items.length > 0;

  return (
    <>
      <PageHead title={t("syntheses.title")} about={t("syntheses.about")}>
        <Button
          variant="default"
          leftSection={<IconFileImport size={18} />}
          onClick={() => setOpen({ act: "import" })}
        >
          {t("syntheses.importYaml")}
        </Button>
        {hasSome && (
          <Button leftSection={<IconPlus size={18} />} onClick={create}>
            {t("syntheses.create")}
          </Button>
        )}
      </PageHead>
      {syntheses.isError && <Problem error={syntheses.error} onRetry={() => void syntheses.refetch()} />}
      {act.error != null && <Problem error={act.error} />}
      {syntheses.isPending && <Skeleton h={240} radius="lg" />}
      {syntheses.isSuccess && !hasSome && (
        <Empty
          icon={<IconSparkles size={34} stroke={1.5} />}
          title={t("syntheses.empty.title")}
          action={
            <Button leftSection={<IconPlus size={18} />} onClick={create}>
              {t("syntheses.create")}
            </Button>
          }
        >
          {t("syntheses.empty.text")}
        </Empty>
      )}
      {hasSome && (
        <Stack>
          <Group justify="space-between">
            <SearchInput label={t("syntheses.searchLabel")} value={text} onChange={setText} />
            <Text size="sm" c="dimmed" aria-live="polite">
              {t("syntheses.count", { count: shown.length })}
            </Text>
          </Group>
          <div className={classes.split} data-open={(selected && isWide) || undefined}>
            {shown.length === 0 ? (
              <Text c="dimmed" ta="center" py="xl">
                {t("syntheses.noMatch", { text: text.trim() })}
              </Text>
            ) : (
              <RowList
                label={t("syntheses.title")}
                items={shown}
                idOf={(one) => one.id}
                columns={columns}
                selectedId={selectedId}
                onSelect={(one) => setSelectedId(one.id)}
                onOpen={(one) => navigate(`/syntheses/${one.id}`)}
              />
            )}
            {selected && isWide && (
              <aside aria-label={t("syntheses.panel.label", { name: selected.name })}>
                <Card className={classes.panel}>
                  <SidePanel
                    synthesis={selected}
                    sourceName={sourceName(selected)}
                    onClose={() => setSelectedId(null)}
                  />
                </Card>
              </aside>
            )}
          </div>
        </Stack>
      )}
      {selected && !isWide && (
        <Drawer
          opened
          position="right"
          size="sm"
          onClose={() => setSelectedId(null)}
          aria-label={t("syntheses.panel.label", { name: selected.name })}
          withCloseButton={false}
        >
          <SidePanel
            synthesis={selected}
            sourceName={sourceName(selected)}
            onClose={() => setSelectedId(null)}
          />
        </Drawer>
      )}
      {search.get("create") !== null && (
        <CreateDialog sourceId={search.get("create") || null} onClose={() => setSearch({})} />
      )}
      {open?.act === "import" && <ImportDialog onClose={close} />}
      {open?.act === "rename" && <RenameSynthesis synthesis={open.synthesis} onClose={close} />}
      {open?.act === "delete" && <DeleteSynthesis synthesis={open.synthesis} onClose={close} />}
    </>
  );
}

/** Gives what to call the source of a synthesis. */
function useSourceNames(): (synthesis: Synthesis) => string {
  const { t } = useTranslation();
  const { items } = useSources();
  const names = useMemo(() => new Map(items.map((one) => [one.id, one.name])), [items]);
  return ({ source_id }) =>
    source_id ? (names.get(source_id) ?? t("syntheses.sharedSource")) : t("syntheses.noSource");
}

/** Does what a row's menu offers, and keeps the last error of it. */
function useAct(setOpen: (open: Open) => void, select: (id: string) => void) {
  const { t } = useTranslation();
  const clone = useCloneSynthesis();
  const [error, setError] = useState<unknown>(null);
  const act = (what: Act, synthesis: Synthesis) => {
    setError(null);
    if (what === "clone")
      clone.mutate(
        { id: synthesis.id, name: "" },
        {
          onSuccess: (made) => {
            notifications.show({ color: "green", message: t("syntheses.copied", { name: made.name }) });
            select(made.id);
          },
          onError: setError,
        },
      );
    else if (what === "export") saveYaml(synthesis).catch(setError);
    else setOpen({ act: what, synthesis });
  };
  return { act, error };
}
