import { processesNaming } from "../processes/processes-naming.ts";

/** The runner processes of an OpalJob's pods, found by the pod's name in their environment. */
export async function runnerPids(job: string): Promise<number[]> {
  const found = await processesNaming(`POD_NAME=${job}-`);
  return found.filter(({ command }) => command.includes("gpu-runner/main.ts")).map(({ pid }) => pid);
}
