export function ConfiguratorPage() {
  return null;
}
