import { LABELS } from "#crds/names.ts";
import type { Opal } from "../launch/launch.ts";

export interface StageCount {
  readonly item: string;
  readonly stage: string;
  /** How often a runner computed the stage to its record, over all pods of the job. */
  readonly finished: number;
}

/** Counts the log lines that runners write when a computed stage has its record. */
export async function stageCounts(opal: Opal, job: string): Promise<StageCount[]> {
  const kubectl = (args: readonly string[]) => opal.cluster.kubectl(args);
  const inNamespace = ["-n", opal.namespace];
  const pods = await kubectl(["get", "pods", ...inNamespace, "-l", `${LABELS.job}=${job}`, "-o", "name"]);
  const counts = new Map<string, number>();
  for (const pod of pods.stdout.split("\n").filter(Boolean)) {
    const { stdout } = await kubectl(["logs", ...inNamespace, pod]);
    for (const line of stdout.split("\n").filter((text) => text.startsWith("{"))) {
      const {
        msg,
        output = "",
        stage,
      } = JSON.parse(line) as { msg?: string; output?: string; stage?: string };
      if (msg !== "stage") continue;
      const item = output.split("/").at(-2);
      const key = `${item} ${stage}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].map(([key, finished]) => {
    const [item = "", stage = ""] = key.split(" ");
    return { item, stage, finished };
  });
}
