import { exportSynthesis, type Synthesis } from "../../api/syntheses";

/** Let the browser save the newest document of a synthesis. */
export async function saveYaml(synthesis: Synthesis): Promise<void> {
  const text = await exportSynthesis(synthesis.id);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  link.download = `${synthesis.name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.yaml`;
  link.click();
  URL.revokeObjectURL(link.href);
}
