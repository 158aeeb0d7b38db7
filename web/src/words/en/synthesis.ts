export const synthesis = {};
