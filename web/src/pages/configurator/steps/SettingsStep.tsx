import {
  Accordion,
  Badge,
  Card,
  Group,
  Input,
  NumberInput,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
  UnstyledButton,
} from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../../words/format";
import classes from "../Configurator.module.css";
import { CostCard } from "../CostCard";
import { useConfiguration } from "../context";
import { read, same } from "../model/document";
import { set } from "../model/edits";
import { type Facts, fieldsOf, holds, ruleOf, titleOf, valueAt } from "../model/schema";
import { findRoots } from "../model/view";
import { SettingField } from "../SettingField";

/** Parts of the document that advanced settings are made of, in their order. */
const GROUPS = [
  "training",
  "differential_privacy",
  "text_model",
  "protection",
  "generation",
  "evaluation",
  "report",
];
/** Fields of these parts that stand among the basic settings. */
const BASIC = new Set(["training.model_size"]);
const SIZES = ["small", "medium", "large"] as const;

/** Name, size and model; what a run will cost. */
export function SettingsStep() {
  return (
    <div className={classes.settings}>
      <Stack gap="md" miw={0}>
        <BasicCard />
        <Advanced />
      </Stack>
      <CostCard />
    </div>
  );
}

function BasicCard() {
  const { t } = useTranslation();
  const { document, edit, checks, view, schema } = useConfiguration();
  const roots =
    checks.said && Object.keys(checks.said.rows).length ? Object.keys(checks.said.rows) : findRoots(view);
  const many = valueAt(schema, document, ["roots"]) === "many";
  return (
    <Card>
      <Stack gap="lg">
        <Title order={3} size="h4">
          {t("configurator.settings.basic")}
        </Title>
        <TextInput
          label={t("configurator.settings.name")}
          description={t("configurator.settings.nameHelp")}
          value={document.name ?? ""}
          maxLength={200}
          required
          error={!document.name}
          onChange={(event) => edit(set(["name"], event.currentTarget.value))}
        />
        <SimpleGrid cols={{ base: 1, sm: roots.length > 1 ? 2 : 1 }}>
          {roots.slice(0, 50).map((root) => (
            <Records key={root} root={root} isOnly={roots.length === 1} />
          ))}
        </SimpleGrid>
        {(roots.length > 1 || many) && (
          <Switch
            label={t("configurator.settings.roots")}
            description={t("configurator.settings.rootsHelp")}
            checked={many}
            onChange={(event) => edit(set(["roots"], event.currentTarget.checked ? "many" : undefined))}
          />
        )}
        <ModelSize />
      </Stack>
    </Card>
  );
}

function Records({ root, isOnly }: { root: string; isOnly: boolean }) {
  const { t } = useTranslation();
  const { document, edit, view } = useConfiguration();
  const place = ["generation", "rows", root];
  const said = read(document, place);
  const rows = useFormat().number(view.byName.get(root)?.rows ?? 0);
  return (
    <NumberInput
      label={
        isOnly ? t("configurator.settings.recordsOne") : t("configurator.settings.records", { table: root })
      }
      description={t("configurator.settings.recordsHelp", { table: root, rows })}
      placeholder={rows}
      value={typeof said === "number" ? said : ""}
      min={1}
      allowDecimal={false}
      thousandSeparator=" "
      onChange={(value) => edit(set(place, value === "" ? undefined : Number(value)))}
    />
  );
}

function ModelSize() {
  const { t } = useTranslation();
  const { document, schema, edit } = useConfiguration();
  const place = ["training", "model_size"];
  const chosen = valueAt(schema, document, place);
  return (
    <div>
      <Input.Label component="div" id="model-size" mb={6}>
        {t("configurator.settings.size")}
      </Input.Label>
      <div role="radiogroup" aria-labelledby="model-size" className={classes.sizes}>
        {SIZES.map((size) => (
          <UnstyledButton
            key={size}
            role="radio"
            aria-checked={chosen === size}
            className={classes.size}
            onClick={() => edit(set(place, size === "medium" ? undefined : size))}
          >
            <Text fw={600}>{t(`configurator.settings.${size}`)}</Text>
            <Text size="sm" c="dimmed">
              {t(`configurator.settings.${size}Help`)}
            </Text>
          </UnstyledButton>
        ))}
      </div>
    </div>
  );
}

function Advanced() {
  const { t } = useTranslation();
  const { document, schema, view, spot, step } = useConfiguration();
  const facts: Facts = { has_text: view.hasText, modelled_tables: view.synthesized.length };
  const led = spot?.step === step ? spot.field?.split(".")[0] : undefined;
  const groups = GROUPS.filter(
    (group) =>
      fieldsOf(schema, [group]).length > 0 && holds(ruleOf(schema, [group]), schema, document, facts),
  );
  return (
    <Card padding={0}>
      <Title order={3} size="h4" p="lg" pb={0}>
        {t("configurator.settings.advanced")}
      </Title>
      <Accordion
        multiple
        defaultValue={led ? [led] : []}
        variant="default"
        chevronPosition="left"
        keepMounted={false}
      >
        {groups.map((group) => {
          const words = titleOf(schema, [group]);
          const fields = fieldsOf(schema, [group]).filter((field) => !BASIC.has(`${group}.${field.name}`));
          const changed = fields.filter((field) => {
            const said = read(document, [group, field.name]);
            return said !== undefined && !same(said, field.default);
          }).length;
          return (
            <Accordion.Item key={group} value={group}>
              <Accordion.Control>
                <Group justify="space-between" pr="sm" wrap="nowrap">
                  <div>
                    <Text fw={600}>{words.title}</Text>
                    <Text size="sm" c="dimmed">
                      {words.help}
                    </Text>
                  </div>
                  {changed > 0 && (
                    <Badge variant="light" style={{ flex: "none" }}>
                      {t("configurator.settings.changed", { count: changed })}
                    </Badge>
                  )}
                </Group>
              </Accordion.Control>
              <Accordion.Panel>
                <div className={classes.fields}>
                  {fields
                    .filter((field) => holds(field.visibleWhen, schema, document, facts))
                    .map((field) => (
                      <SettingField key={field.name} field={field} place={[group, field.name]} />
                    ))}
                </div>
              </Accordion.Panel>
            </Accordion.Item>
          );
        })}
      </Accordion>
    </Card>
  );
}
