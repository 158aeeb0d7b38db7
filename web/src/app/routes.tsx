import { createBrowserRouter, Navigate } from "react-router";
import { PageLoader } from "../parts/PageLoader";
import { Fault, NotFound } from "./Fault";
import { Shell } from "./Shell";

/** Every page, loaded when it is first opened. */
export const router = createBrowserRouter([
  {
    ErrorBoundary: Fault,
    HydrateFallback: PageLoader,
    children: [
      {
        path: "/sign-in",
        lazy: async () => ({ Component: (await import("../pages/sign-in/SignInPage")).SignInPage }),
      },
      {
        path: "/setup",
        lazy: async () => ({ Component: (await import("../pages/sign-in/SetupPage")).SetupPage }),
      },
      {
        path: "/",
        Component: Shell,
        ErrorBoundary: Fault,
        children: [
          {
            ErrorBoundary: Fault, // inside of the frame: the way to other pages stays
            children: [
              { index: true, element: <Navigate to="/syntheses" replace /> },
              {
                path: "sources",
                lazy: async () => ({ Component: (await import("../pages/sources/SourcesPage")).SourcesPage }),
              },
              {
                path: "sources/:sourceId",
                lazy: async () => ({ Component: (await import("../pages/sources/SourcePage")).SourcePage }),
              },
              {
                path: "syntheses",
                lazy: async () => ({
                  Component: (await import("../pages/syntheses/SynthesesPage")).SynthesesPage,
                }),
              },
              {
                path: "syntheses/:synthesisId",
                lazy: async () => ({
                  Component: (await import("../pages/synthesis/SynthesisPage")).SynthesisPage,
                }),
              },
              {
                path: "syntheses/:synthesisId/configure/:step?",
                lazy: async () => ({
                  Component: (await import("../pages/configurator/ConfiguratorPage")).ConfiguratorPage,
                }),
              },
              {
                path: "settings/:part?",
                lazy: async () => ({
                  Component: (await import("../pages/settings/SettingsPage")).SettingsPage,
                }),
              },
              {
                path: "admin/:part?",
                lazy: async () => ({ Component: (await import("../pages/admin/AdminPage")).AdminPage }),
              },
              { path: "*", Component: NotFound },
            ],
          },
        ],
      },
    ],
  },
]);
