import {
  ActionIcon,
  Avatar,
  Button,
  Group,
  Modal,
  NativeSelect,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconUserMinus } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Share, useShare, useShares, useUnshare } from "../../api/executions";
import type { Synthesis } from "../../api/syntheses";
import { PageLoader } from "../../parts/PageLoader";
import { Problem } from "../../parts/Problem";
import classes from "./Items.module.css";
import { may } from "./rights";
import { useTell } from "./tell";

type Level = Share["level"];
const LEVELS: Level[] = ["view", "run", "edit"];

/** Who else sees a synthesis and its executions, and what they may do. */
export function ShareDialog({ synthesis, onClose }: { synthesis: Synthesis; onClose: () => void }) {
  const { t } = useTranslation();
  const shares = useShares(synthesis.id);
  const isOwner = may(synthesis, "own");
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("synthesis.share.title", { name: synthesis.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t(isOwner ? "synthesis.share.about" : "synthesis.share.notOwner")}
        </Text>
        {isOwner && <Invite synthesisId={synthesis.id} />}
        {shares.isError && <Problem error={shares.error} onRetry={() => void shares.refetch()} />}
        {shares.isPending && <PageLoader />}
        {shares.data?.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("synthesis.share.nobody")}
          </Text>
        )}
        <ul className={classes.items}>
          {shares.data?.map((share) => (
            <ShareItem key={share.user_id} synthesisId={synthesis.id} share={share} isOwner={isOwner} />
          ))}
        </ul>
      </Stack>
    </Modal>
  );
}

function Invite({ synthesisId }: { synthesisId: string }) {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [level, setLevel] = useState<Level>("view");
  const share = useShare(synthesisId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    share.mutate({ email: email.trim(), level }, { onSuccess: () => setEmail("") });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {share.isError && <Problem error={share.error} />}
        <Group align="flex-end" gap="sm">
          <TextInput
            label={t("synthesis.share.email")}
            type="email"
            required
            data-autofocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            style={{ flex: "1 1 220px" }}
          />
          <LevelSelect label={t("synthesis.share.level")} value={level} onChange={setLevel} />
          <Button type="submit" loading={share.isPending}>
            {t("synthesis.share.submit")}
          </Button>
        </Group>
        <Text size="sm" c="dimmed">
          {t(`synthesis.share.levelAbout.${level}`)}
        </Text>
      </Stack>
    </form>
  );
}

function ShareItem({ synthesisId, share, isOwner }: { synthesisId: string; share: Share; isOwner: boolean }) {
  const { t } = useTranslation();
  const tell = useTell();
  const [change, end] = [useShare(synthesisId), useUnshare(synthesisId)];
  const { name, email, level } = share;
  return (
    <li className={classes.item}>
      <Group gap="sm" wrap="nowrap" miw={0}>
        <Avatar name={name} color="kin" variant="filled" radius="xl" aria-hidden />
        <Stack gap={0} miw={0}>
          <Text fw={600} truncate>
            {name}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {email}
          </Text>
        </Stack>
      </Group>
      {isOwner ? (
        <Group gap="xs">
          <LevelSelect
            aria-label={t("synthesis.share.levelOf", { name })}
            value={level}
            onChange={(wanted) => change.mutate({ email, level: wanted }, { onError: tell.refused })}
          />
          <Tooltip label={t("synthesis.share.end", { name })}>
            <ActionIcon
              variant="subtle"
              color="red"
              size="lg"
              aria-label={t("synthesis.share.end", { name })}
              loading={end.isPending}
              onClick={() => end.mutate(share.user_id, { onError: tell.refused })}
            >
              <IconUserMinus size={18} />
            </ActionIcon>
          </Tooltip>
        </Group>
      ) : (
        <Text size="sm">{t(`synthesis.share.levels.${level}`)}</Text>
      )}
    </li>
  );
}

function LevelSelect({
  value,
  onChange,
  ...label
}: {
  value: Level;
  onChange: (level: Level) => void;
  label?: string;
  "aria-label"?: string;
}) {
  const { t } = useTranslation();
  return (
    <NativeSelect
      {...label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Level)}
      data={LEVELS.map((one) => ({ value: one, label: t(`synthesis.share.levels.${one}`) }))}
    />
  );
}
