import type { syntheses as english } from "../en/syntheses";

export const syntheses: typeof english = {};
