import type { synthesis as english } from "../en/synthesis";

export const synthesis: typeof english = {};
