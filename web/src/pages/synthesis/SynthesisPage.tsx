export function SynthesisPage() {
  return null;
}
