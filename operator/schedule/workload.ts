/** A workload is named by its stages in their order, so that one never measured is still known by its stages. */
const SEPARATOR = "+";

export function workloadNamed(stages: readonly string[]): string {
  return stages.join(SEPARATOR);
}

export function stagesIn(workload: string): string[] {
  return workload.split(SEPARATOR);
}
