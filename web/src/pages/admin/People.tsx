import { Button, Group, SegmentedControl, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconSearch, IconUserSearch } from "@tabler/icons-react";
import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Person, usePeople } from "../../api/people";
import { Empty } from "../../parts/Empty";
import { Problem } from "../../parts/Problem";
import { PeopleList } from "./PeopleList";
import { PersonDialog } from "./PersonDialog";

const SHOWN = 100;
const STATUSES = ["all", "active", "blocked"] as const;

/** All accounts, searched as one types. */
export function People() {
  const { t } = useTranslation();
  const people = usePeople();
  const [isMaking, setMaking] = useState(false);
  const [typed, setTyped] = useState("");
  const [status, setStatus] = useState<(typeof STATUSES)[number]>("all");
  const [most, setMost] = useState(SHOWN);
  const wanted = useDeferredValue(typed.trim().toLowerCase());
  const found = (people.data ?? []).filter(
    (person) => (status === "all" || person.status === status) && isCalled(person, wanted),
  );
  return (
    <Stack>
      <Group align="flex-end">
        <TextInput
          flex="1 1 260px"
          maw={480}
          label={t("admin.people.search")}
          leftSection={<IconSearch size={18} />}
          type="search"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <SegmentedControl
          aria-label={t("admin.people.status")}
          value={status}
          onChange={setStatus}
          data={STATUSES.map((value) => ({ value, label: t(`admin.people.${value}`) }))}
        />
        <Button leftSection={<IconPlus size={18} />} onClick={() => setMaking(true)} ml="auto">
          {t("admin.people.make")}
        </Button>
      </Group>
      {people.isError && <Problem error={people.error} onRetry={() => people.refetch()} />}
      {people.isPending && <Skeleton h={320} radius="lg" />}
      {people.data && (
        <Text size="sm" c="dimmed" role="status">
          {t("admin.people.count", { count: found.length })}
        </Text>
      )}
      {people.data && found.length === 0 && (
        <Empty icon={<IconUserSearch size={32} />} title={t("admin.people.none")}>
          {t("admin.people.noneAbout")}
        </Empty>
      )}
      {found.length > 0 && <PeopleList people={found.slice(0, most)} />}
      {found.length > most && (
        <Button variant="default" onClick={() => setMost(most + SHOWN)} mx="auto">
          {t("common.more")}
        </Button>
      )}
      {isMaking && <PersonDialog onClose={() => setMaking(false)} />}
    </Stack>
  );
}

function isCalled(person: Person, wanted: string): boolean {
  return [person.name, person.email, person.company].some((text) => text.toLowerCase().includes(wanted));
}
