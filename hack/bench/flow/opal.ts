import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { resourcesIn } from "../../../operator/cluster/resources.ts";
import { prepareCluster } from "../../launch/prepare-cluster.ts";
import { type PoolSettings, IDENTITIES, NAMESPACE } from "../../launch/settings.ts";
import { nodeProgram } from "../../processes/node-program.ts";
import { spawnPart } from "../../processes/part.ts";
import { KUEUE_CLIENT } from "../kueue/peer.ts";
import type { Contender, Manager, Place } from "./contender.ts";
import { anOpalJob, IMAGE } from "./load.ts";

const ROOT = new URL("../../../", import.meta.url);
const READY_SECONDS = 60;
const OPERATOR = "operator";

/** As many as Kueue's manager may here. */
const WRITES = { perSecond: KUEUE_CLIENT.perSecond, burst: KUEUE_CLIENT.burst };

/** The operator's setting under which no job shares a child. */
const NO_COALESCING = { coalesce: { maxItems: 0 } };

export interface OpalSettings {
  readonly pool: PoolSettings;
  readonly pictures: number;
  /** Whether small jobs may share children. */
  readonly isCoalescing: boolean;
  /** Further fields of the operator's file. */
  readonly config?: object;
}

/** OpalJobs under the operator, as its own process with its own account's rights and its settings' defaults. */
export function createOpal({ pool, pictures, isCoalescing, config = {} }: OpalSettings): Contender {
  return {
    name: "opal",
    namespace: NAMESPACE,
    resource: resourcesIn(NAMESPACE).opalJobs,
    job: (name) => anOpalJob(name, pictures),
    async start(place) {
      // The runner's Secret is there and holds nothing: this runner reads no blob.
      await prepareCluster(place.cluster, "", [pool]);
      return startOperator(place, { ...config, ...(!isCoalescing && NO_COALESCING) });
    },
  };
}

async function startOperator({ cluster, folder, reaper }: Place, config: object): Promise<Manager> {
  const file = join(folder, "operator.yaml");
  const runner = {
    image: IMAGE,
    serviceAccountName: "opal-runner",
    env: [{ name: "OPAL_TERMINATION_LOG", value: "/dev/termination-log" }],
  };
  await writeFile(file, stringify({ namespace: NAMESPACE, runner, writes: WRITES, ...config }));
  const program = nodeProgram(new URL("operator/main.ts", ROOT));
  const part = await spawnPart(
    {
      name: OPERATOR,
      ...program,
      env: {
        ...program.env,
        OPAL_CONFIG_FILE: file,
        OPAL_METRICS_PORT: "0",
        KUBECONFIG: cluster.kubeconfig(OPERATOR),
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
  const user = IDENTITIES.find(({ name }) => name === OPERATOR)?.user ?? "";
  return { process: { pid: part.pid, user }, stop: async () => void (await part.stop()) };
}
