import { Box, Card, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

export type ListingColumn<T> = { key: string; label: string; render: (row: T) => ReactNode };

/** Rows as a table, or as one card each where there is no room for one. The first column names the row. */
export function Listing<T>({
  label,
  columns,
  rows,
  id,
  actions,
}: {
  label: string;
  columns: ListingColumn<T>[];
  rows: T[];
  id: (row: T) => string;
  actions?: (row: T) => ReactNode;
}) {
  const { t } = useTranslation();
  const isNarrow = useMediaQuery("(max-width: 62em)", false, { getInitialValueInEffect: false });
  if (isNarrow) return <Cards {...{ label, columns, rows, id, actions }} />;
  return (
    <Card p={0}>
      <Table aria-label={label} horizontalSpacing="lg">
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.key} scope="col">
                <Text span inherit size="sm" c="dimmed">
                  {column.label}
                </Text>
              </Table.Th>
            ))}
            {actions && <Table.Th w={60} aria-label={t("common.actions")} />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={id(row)}>
              {columns.map((column) => (
                <Table.Td key={column.key}>{column.render(row)}</Table.Td>
              ))}
              {actions && <Table.Td>{actions(row)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function Cards<T>({
  label,
  columns: [head, ...columns],
  rows,
  id,
  actions,
}: {
  label: string;
  columns: ListingColumn<T>[];
  rows: T[];
  id: (row: T) => string;
  actions?: (row: T) => ReactNode;
}) {
  return (
    <Stack component="ul" aria-label={label} gap="sm" p={0} m={0}>
      {rows.map((row) => (
        <Card component="li" key={id(row)} p="md">
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Box miw={0}>{head?.render(row)}</Box>
            {actions?.(row)}
          </Group>
          <Stack component="dl" gap={6} mt="sm" mb={0}>
            {columns.map((column) => (
              <Group key={column.key} justify="space-between" gap="md" wrap="nowrap">
                <Text component="dt" size="sm" c="dimmed">
                  {column.label}
                </Text>
                <Box component="dd" m={0} miw={0} ta="right" fz="sm">
                  {column.render(row)}
                </Box>
              </Group>
            ))}
          </Stack>
        </Card>
      ))}
    </Stack>
  );
}
