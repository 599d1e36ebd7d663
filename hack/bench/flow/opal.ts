import { resourcesIn } from "../../../operator/cluster/resources.ts";
import { startOperator } from "../../launch/operator-part.ts";
import { prepareCluster } from "../../launch/prepare-cluster.ts";
import { type PoolSettings, IDENTITIES, NAMESPACE } from "../../launch/settings.ts";
import { KUEUE_CLIENT } from "../kueue/peer.ts";
import type { Contender, Manager, Place } from "./contender.ts";
import { anOpalJob, IMAGE } from "./load.ts";

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
      return startManager(place, { ...config, ...(!isCoalescing && NO_COALESCING) });
    },
  };
}

async function startManager(place: Place, config: object): Promise<Manager> {
  const runner = { image: IMAGE, env: [{ name: "OPAL_TERMINATION_LOG", value: "/dev/termination-log" }] };
  const part = await startOperator(place, { runner, writes: WRITES, ...config });
  const user = IDENTITIES.find(({ name }) => name === "operator")?.user ?? "";
  return { process: { pid: part.pid, user }, stop: async () => void (await part.stop()) };
}
