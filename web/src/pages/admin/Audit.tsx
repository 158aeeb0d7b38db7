import { Badge, Button, Code, Group, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFilterOff, IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type AskedEntries, type AuditEntry, useAudit } from "../../api/audit";
import { type Person, usePeople } from "../../api/people";
import { Empty } from "../../parts/Empty";
import { Listing } from "../../parts/Listing";
import { Problem } from "../../parts/Problem";
import { useFormat } from "../../words/format";
import { Proof } from "./Proof";

const AREAS = [
  "users",
  "sessions",
  "sign_in",
  "tokens",
  "quotas",
  "shares",
  "sources",
  "versions",
  "destinations",
  "syntheses",
  "executions",
  "models",
  "downloads",
  "setup",
] as const;

/** Who did what to which object, and the proof that nobody changed the record. */
export function Audit() {
  const { t } = useTranslation();
  const people = usePeople();
  const [asked, setAsked] = useState<AskedEntries>({});
  const [settled] = useDebouncedValue(asked, 250);
  const entries = useAudit(settled);
  return (
    <Stack>
      <Proof />
      <Filters asked={asked} people={people.data ?? []} onChange={setAsked} />
      {entries.isError && <Problem error={entries.error} onRetry={() => entries.refetch()} />}
      {entries.isPending && <Skeleton h={320} radius="lg" />}
      {entries.isSuccess && entries.items.length === 0 && (
        <Empty
          icon={<IconHistory size={32} />}
          title={t("admin.audit.none")}
          action={
            <Button variant="light" leftSection={<IconFilterOff size={18} />} onClick={() => setAsked({})}>
              {t("admin.audit.clear")}
            </Button>
          }
        >
          {t("admin.audit.noneAbout")}
        </Empty>
      )}
      {entries.items.length > 0 && <Entries entries={entries.items} people={people.data ?? []} />}
      {entries.hasNextPage && (
        <Button
          variant="default"
          mx="auto"
          loading={entries.isFetchingNextPage}
          onClick={() => entries.fetchNextPage()}
        >
          {t("common.more")}
        </Button>
      )}
    </Stack>
  );
}

function Filters({
  asked,
  people,
  onChange,
}: {
  asked: AskedEntries;
  people: Person[];
  onChange: (asked: AskedEntries) => void;
}) {
  const { t } = useTranslation();
  const set = (change: AskedEntries) => onChange({ ...asked, ...change });
  return (
    <Group align="flex-start">
      <Select
        label={t("admin.audit.who")}
        placeholder={t("admin.audit.anyone")}
        flex="1 1 200px"
        maw={320}
        searchable
        clearable
        value={asked.actor_id ?? null}
        onChange={(value) => set({ actor_id: value ?? undefined })}
        data={people.map((person) => ({ value: person.id, label: `${person.name} · ${person.email}` }))}
      />
      <Select
        label={t("admin.audit.area")}
        placeholder={t("admin.audit.everything")}
        flex="1 1 160px"
        maw={260}
        clearable
        value={asked.action ?? null}
        onChange={(value) => set({ action: value ?? undefined })}
        data={AREAS.map((area) => ({ value: area, label: t(`admin.audit.areas.${area}`) }))}
      />
      <Select
        label={t("admin.audit.outcome")}
        placeholder={t("admin.audit.any")}
        flex="1 1 120px"
        maw={180}
        clearable
        value={asked.outcome ?? null}
        onChange={(value) => set({ outcome: (value as AuditEntry["outcome"] | null) ?? undefined })}
        data={(["done", "refused"] as const).map((value) => ({
          value,
          label: t(`admin.audit.${value}`),
        }))}
      />
      <TextInput
        label={t("admin.audit.object")}
        placeholder={t("admin.audit.objectHelp")}
        flex="1 1 180px"
        maw={300}
        maxLength={40}
        value={asked.object_id ?? ""}
        onChange={(event) => set({ object_id: event.currentTarget.value.trim() || undefined })}
      />
    </Group>
  );
}

function Entries({ entries, people }: { entries: AuditEntry[]; people: Person[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = new Map(people.map((person) => [person.id, person.name]));
  const say = (id: string) => names.get(id) ?? <Code>{id}</Code>;
  return (
    <Listing
      label={t("admin.tabs.audit")}
      rows={entries}
      id={(entry) => String(entry.number)}
      columns={[
        {
          key: "action",
          label: t("admin.audit.action"),
          render: (entry) => (
            <Stack gap={0}>
              <Text fw={600} ff="monospace" size="sm">
                {entry.action}
              </Text>
              <Text size="xs" c="dimmed">
                {`#${entry.number}`}
              </Text>
            </Stack>
          ),
        },
        {
          key: "who",
          label: t("admin.audit.who"),
          render: (entry) => (entry.actor_id ? say(entry.actor_id) : t("admin.audit.nobody")),
        },
        {
          key: "object",
          label: t("admin.audit.object"),
          render: (entry) => (entry.object_id ? say(entry.object_id) : "–"),
        },
        {
          key: "outcome",
          label: t("admin.audit.outcome"),
          render: (entry) => (
            <Badge variant="light" color={entry.outcome === "done" ? "teal" : "red"}>
              {t(`admin.audit.${entry.outcome}`)}
            </Badge>
          ),
        },
        {
          key: "details",
          label: t("admin.audit.details"),
          render: (entry) => (
            <Text
              size="sm"
              c="dimmed"
              maw={360}
              style={{ overflowWrap: "anywhere" }}
              title={describe(entry.details)}
            >
              {describe(entry.details, SHORT)}
            </Text>
          ),
        },
        {
          key: "at",
          label: t("admin.audit.at"),
          render: (entry) => <span style={{ whiteSpace: "nowrap" }}>{format.moment(entry.at)}</span>,
        },
      ]}
    />
  );
}

const SHORT = 32;

/** Say details, which are numbers, ids, digests and names of fields, on one line; of long ones the beginning. */
function describe(details: AuditEntry["details"], longest = Number.POSITIVE_INFINITY): string {
  const said = Object.entries(details).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(", ") : JSON.stringify(value).replaceAll('"', "");
    return `${name}: ${text.length > longest ? `${text.slice(0, 12)}…` : text}`;
  });
  return said.join(" · ");
}
