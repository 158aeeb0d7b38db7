export const syntheses = {};
