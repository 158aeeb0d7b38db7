import {
  ActionIcon,
  Button,
  Group,
  NativeSelect,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { ModelDetail } from "../../../../api/executions";
import { KINDS, type Kind, listColumns, type Wish } from "./drawing";

/** What the drawn rows must keep to. */
export function Conditions({
  model,
  wishes,
  onWishes,
}: {
  model: ModelDetail;
  wishes: Wish[];
  onWishes: (wishes: Wish[]) => void;
}) {
  const { t } = useTranslation();
  const change = (id: number, part: Partial<Wish>) =>
    onWishes(wishes.map((one) => (one.id === id ? { ...one, ...part } : one)));
  const add = () => {
    const id = Math.max(0, ...wishes.map((one) => one.id)) + 1;
    onWishes([...wishes, { id, kind: "fixed", column: "", value: "", share: "" }]);
  };
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {t("synthesis.start.conditionsAbout")}
      </Text>
      {wishes.map((wish, number) => (
        <Condition
          key={wish.id}
          number={number + 1}
          model={model}
          wish={wish}
          onChange={(part) => change(wish.id, part)}
          onRemove={() => onWishes(wishes.filter((one) => one.id !== wish.id))}
        />
      ))}
      <Group>
        <Button variant="light" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
          {t("synthesis.start.addCondition")}
        </Button>
      </Group>
    </Stack>
  );
}

function Condition({
  number,
  model,
  wish,
  onChange,
  onRemove,
}: {
  number: number;
  model: ModelDetail;
  wish: Wish;
  onChange: (part: Partial<Wish>) => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const columns = listColumns(model, wish.kind);
  const setKind = (kind: Kind) => {
    const stays = listColumns(model, kind).some((one) =>
      one.items.some((item) => item.value === wish.column),
    );
    onChange({ kind, column: stays ? wish.column : "" });
  };
  return (
    <Group role="group" aria-label={t("synthesis.start.condition", { number })} align="flex-end" gap="xs">
      <NativeSelect
        label={t("synthesis.start.kind")}
        value={wish.kind}
        onChange={(event) => setKind(event.currentTarget.value as Kind)}
        data={KINDS.map((one) => ({ value: one, label: t(`synthesis.start.kinds.${one}`) }))}
        flex="0 1 130px"
      />
      <Select
        label={t("synthesis.start.column")}
        value={wish.column || null}
        onChange={(column) => onChange({ column: column ?? "" })}
        data={columns}
        searchable
        required
        withAsterisk={false}
        nothingFoundMessage={t("synthesis.start.noColumn")}
        flex="1 1 130px"
      />
      {wish.kind !== "noMissing" && (
        <TextInput
          label={t("synthesis.start.value")}
          value={wish.value}
          placeholder={t("synthesis.start.missing")}
          maxLength={10_000}
          onChange={(event) => onChange({ value: event.currentTarget.value })}
          flex="1 1 90px"
        />
      )}
      {wish.kind === "share" && (
        <NumberInput
          label={t("synthesis.start.share")}
          value={wish.share}
          min={0}
          max={100}
          suffix=" %"
          required
          withAsterisk={false}
          onChange={(share) => onChange({ share: share === "" ? "" : Number(share) })}
          flex="0 1 90px"
        />
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("synthesis.start.removeCondition", { number })}
        onClick={onRemove}
      >
        <IconTrash size={18} />
      </ActionIcon>
    </Group>
  );
}
