export function SynthesesPage() {
  return null;
}
