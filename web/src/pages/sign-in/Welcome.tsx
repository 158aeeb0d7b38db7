import { Card, Center, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import icon from "../../app/icon.svg";

/** The frame of the pages before somebody is signed in. */
export function Welcome({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  return (
    <Center component="main" mih="100vh" p="md">
      <Card w="100%" maw={440} padding="xl" shadow="sm">
        <Stack gap="lg">
          <Stack gap={6} align="center">
            <img src={icon} alt="" width={48} height={48} />
            <Title order={1} size="h2" ta="center">
              {title}
            </Title>
            <Text c="dimmed" ta="center">
              {about}
            </Text>
          </Stack>
          {children}
        </Stack>
      </Card>
    </Center>
  );
}
