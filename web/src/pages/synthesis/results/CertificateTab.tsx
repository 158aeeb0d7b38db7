import { Accordion, Alert, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCertificate, IconCheck, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Certificate, Guarantee } from "../../../api/evaluation";
import { useFormat } from "../../../words/format";
import classes from "./Results.module.css";

const AT_ONCE = 100;

/** In words what was promised of the result, and counted on the written files. */
export function CertificateTab({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation();
  const kinds = new Map<string, Guarantee[]>();
  for (const one of certificate.guarantees) kinds.set(one.code, [...(kinds.get(one.code) ?? []), one]);
  return (
    <Stack gap="md">
      <Alert
        color={certificate.passed ? "teal" : "red"}
        icon={certificate.passed ? <IconCertificate /> : <IconAlertTriangle />}
        title={t(certificate.passed ? "synthesis.certificate.allHold" : "synthesis.certificate.someBroken")}
      >
        {t("synthesis.certificate.about")}
      </Alert>
      <Accordion variant="separated" radius="lg" multiple>
        {[...kinds].map(([code, found]) => (
          <Kind key={code} code={code} found={found} />
        ))}
      </Accordion>
    </Stack>
  );
}

function Kind({ code, found }: { code: string; found: Guarantee[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [most, setMost] = useState(AT_ONCE);
  const broken = found.filter((one) => !one.passed).length;
  const words = t(`synthesis.guarantee.${known(code)}`);
  return (
    <Accordion.Item value={code}>
      <Accordion.Control>
        <Group justify="space-between" wrap="nowrap" pr="sm">
          <Group gap="sm" wrap="nowrap">
            {broken ? (
              <IconX size={18} color="var(--mantine-color-red-6)" aria-hidden style={{ flex: "none" }} />
            ) : (
              <IconCheck size={18} color="var(--mantine-color-teal-6)" aria-hidden style={{ flex: "none" }} />
            )}
            <Text>{words}</Text>
          </Group>
          <Badge variant="light" color={broken ? "red" : "gray"} tt="none" style={{ flex: "none" }}>
            {broken
              ? t("synthesis.certificate.broken", { count: broken })
              : t("synthesis.certificate.held", { count: found.length })}
          </Badge>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap={6}>
          {found
            .toSorted((a, b) => Number(a.passed) - Number(b.passed))
            .slice(0, most)
            .map((one) => (
              <Group key={one.where} justify="space-between" wrap="nowrap" gap="md" align="flex-start">
                <span className={classes.where}>{one.where}</span>
                <Text size="sm" c={one.passed ? "dimmed" : "red"} style={{ flex: "none" }}>
                  {one.passed
                    ? t("synthesis.certificate.checked", { rows: format.number(one.checked_rows) })
                    : t("synthesis.certificate.violations", {
                        count: one.violations,
                        rows: format.number(one.checked_rows),
                      })}
                </Text>
              </Group>
            ))}
          {found.length > most && (
            <Button variant="subtle" size="xs" onClick={() => setMost(most + AT_ONCE)}>
              {t("synthesis.charts.more", { count: found.length - most })}
            </Button>
          )}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

const KNOWN = [
  "table_present",
  "table_rows",
  "column_type",
  "column_not_null",
  "primary_key_not_null",
  "primary_key_unique",
  "unique_key_unique",
  "bridge_unique",
  "foreign_key_resolved",
  "one_to_one_unique",
  "self_reference_acyclic",
  "check_kept",
  "enumeration_kept",
  "original_equal",
  "rule_kept",
  "column_range",
  "column_precision",
  "column_categories",
] as const;

function known(code: string): (typeof KNOWN)[number] | "other" {
  return KNOWN.find((one) => one === code.replace(".", "_")) ?? "other";
}
