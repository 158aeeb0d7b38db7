import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const kin: MantineColorsTuple = [
  "#edf2ff",
  "#dbe4ff",
  "#bac8ff",
  "#91a7ff",
  "#748ffc",
  "#5c7cfa",
  "#4c6ef5",
  "#3b5bdb",
  "#364fc7",
  "#2b3f9e",
];

export const theme = createTheme({
  colors: { kin },
  primaryColor: "kin",
  primaryShade: 7,
  autoContrast: true,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  components: {
    Card: { defaultProps: { withBorder: true, radius: "lg", padding: "lg" } },
    Paper: { defaultProps: { radius: "lg" } },
    Modal: { defaultProps: { radius: "lg", centered: true } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, multiline: true, maw: 320 } },
    Table: { defaultProps: { highlightOnHover: true, verticalSpacing: "sm" } },
    Loader: { defaultProps: { type: "dots" } },
  },
});

const LABELS = "kin blue cyan grape gray green indigo lime orange pink red teal violet yellow".split(" ");

/** Words that stand back, and those on a light ground of their colour, must still be read: 4.5 to 1. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "var(--mantine-color-gray-7)",
    ...Object.fromEntries(
      LABELS.map((color) => [
        `--mantine-color-${color}-light-color`,
        `color-mix(in srgb, var(--mantine-color-${color}-9), black 45%)`,
      ]),
    ),
  },
  dark: { "--mantine-color-dimmed": "var(--mantine-color-dark-1)" },
});
