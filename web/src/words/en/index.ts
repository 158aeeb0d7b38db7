/** All English texts, by page. Italian has the same keys. */

import { admin } from "./admin";
import { configurator } from "./configurator";
import { frame } from "./frame";
import { parts } from "./parts";
import { settings } from "./settings";
import { sources } from "./sources";
import { syntheses } from "./syntheses";
import { synthesis } from "./synthesis";

export const en = { ...frame, parts, sources, syntheses, configurator, synthesis, settings, admin };

export type Words = typeof en;
