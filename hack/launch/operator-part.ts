import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Cluster } from "../dev-cluster/cluster.ts";
import { nodeProgram } from "../processes/node-program.ts";
import { type Part, spawnPart } from "../processes/part.ts";
import type { Reaper } from "../processes/reaper.ts";
import { NAMESPACE, RUNNER_IMAGE } from "./settings.ts";

const ROOT = new URL("../../", import.meta.url);
const READY_SECONDS = 60;

export interface OperatorPlace {
  /** With the identity `operator`, and prepared by `installOpal`. */
  readonly cluster: Cluster;
  /** Gets the operator's file and its log. */
  readonly folder: string;
  readonly reaper: Reaper;
}

/** The fields of the operator's file; namespace, image and account are filled in. */
export interface OperatorFields {
  readonly runner?: object;
  readonly [field: string]: unknown;
}

/** The operator alone, as its own process with its own account's rights. Resolves when it leads. */
export async function startOperator(
  { cluster, folder, reaper }: OperatorPlace,
  { runner, ...fields }: OperatorFields = {},
): Promise<Part<true>> {
  const file = join(folder, "operator.yaml");
  const own = { image: RUNNER_IMAGE, serviceAccountName: "opal-runner" };
  await writeFile(file, stringify({ namespace: NAMESPACE, ...fields, runner: { ...own, ...runner } }));
  const program = nodeProgram(new URL("operator/main.ts", ROOT));
  return spawnPart(
    {
      name: "operator",
      ...program,
      env: {
        ...program.env,
        OPAL_CONFIG_FILE: file,
        OPAL_METRICS_PORT: "0",
        KUBECONFIG: cluster.kubeconfig("operator"),
      },
      cwd: fileURLToPath(ROOT),
      logFile: join(folder, "operator.log"),
      readiness: {
        by: "line",
        deadlineSeconds: READY_SECONDS,
        read: (line) => (line.includes('"msg":"ready"') ? true : undefined),
      },
    },
    reaper,
  );
}
