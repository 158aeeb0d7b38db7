export const configurator = {};
