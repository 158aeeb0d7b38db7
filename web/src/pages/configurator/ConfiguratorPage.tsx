import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconDatabaseOff, IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, Navigate, useParams } from "react-router";
import { documentSchema, useDraftDetection } from "../../api/documents";
import { type SynthesisDetail, useSynthesis } from "../../api/syntheses";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { PageLoader } from "../../parts/PageLoader";
import { Problem } from "../../parts/Problem";
import { Configurator } from "./Configurator";
import { isStep, STEPS } from "./model/alerts";

/** Brings what the configurator needs: the synthesis, what its source holds, and the form of documents. */
export function ConfiguratorPage() {
  const { synthesisId = "", step } = useParams();
  const synthesis = useSynthesis(synthesisId);
  if (synthesis.isError) throw synthesis.error;
  if (synthesis.isPending) return <PageLoader />;
  if (step === undefined || !isStep(step))
    return <Navigate to={`/syntheses/${synthesisId}/configure/${STEPS[0]}`} replace />;
  return <Opened synthesis={synthesis.data} step={step} key={synthesisId} />;
}

function Opened({ synthesis, step }: { synthesis: SynthesisDetail; step: (typeof STEPS)[number] }) {
  const { t } = useTranslation();
  const mayEdit = synthesis.level === "edit" || synthesis.level === "own";
  const isReady = mayEdit && synthesis.source_id !== null;
  const detection = useDraftDetection(synthesis.id, synthesis.document.source, isReady);
  const schema = useQuery(documentSchema);
  const back = (
    <Button component={Link} to={`/syntheses/${synthesis.id}`} variant="default">
      {t("configurator.toSynthesis")}
    </Button>
  );
  const title = t("configurator.title", { name: synthesis.name });
  if (!mayEdit)
    return (
      <>
        <PageHead title={title} />
        <Empty icon={<IconLock size={32} />} title={t("configurator.noRight")} action={back}>
          {t("configurator.noRightHelp")}
        </Empty>
      </>
    );
  if (synthesis.source_id === null)
    return (
      <>
        <PageHead title={title} />
        <Empty icon={<IconDatabaseOff size={32} />} title={t("configurator.sourceGone")} action={back}>
          {t("configurator.sourceGoneHelp")}
        </Empty>
      </>
    );
  const failed = [detection, schema].find((one) => one.isError);
  if (failed)
    return (
      <>
        <PageHead title={title} />
        <Problem error={failed.error} onRetry={() => void failed.refetch()} />
        <Group mt="md">{back}</Group>
      </>
    );
  if (!detection.data || !schema.data)
    return (
      <>
        <PageHead title={title} />
        <Alert variant="light" role="status">
          <Stack gap={4}>
            <Text fw={600}>{t("configurator.loadingSource")} …</Text>
            <Text size="sm">{t("configurator.loadingSourceHelp")}</Text>
          </Stack>
        </Alert>
        <PageLoader />
      </>
    );
  return <Configurator synthesis={synthesis} detection={detection.data} schema={schema.data} step={step} />;
}
