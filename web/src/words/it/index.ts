/** Tutti i testi italiani. */
import type { Words } from "../en";
import { admin } from "./admin";
import { configurator } from "./configurator";
import { frame } from "./frame";
import { parts } from "./parts";
import { settings } from "./settings";
import { sources } from "./sources";
import { syntheses } from "./syntheses";
import { synthesis } from "./synthesis";

export const it: Words = { ...frame, parts, sources, syntheses, configurator, synthesis, settings, admin };
