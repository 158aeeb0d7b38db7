import type { configurator as english } from "../en/configurator";

export const configurator: typeof english = {};
