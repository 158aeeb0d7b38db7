/** All English texts, by page. Italian has the same keys. */

import { admin } from "./admin";
import { configurator } from "./configurator";
import { frame } from "./frame";
import { settings } from "./settings";
import { sources } from "./sources";
import { syntheses } from "./syntheses";
import { synthesis } from "./synthesis";

export const en = { ...frame, sources, syntheses, configurator, synthesis, settings, admin };

export type Words = typeof en;
