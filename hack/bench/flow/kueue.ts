import { createKueueQueue, KUEUE_IDENTITY, startKueueManager } from "../kueue/manager.ts";
import type { KueuePeer } from "../kueue/peer.ts";
import type { Contender } from "./contender.ts";
import { aKueueJob } from "./load.ts";

const NAMESPACE = "default";
const QUEUE = "bench";

/** The same Jobs as `plain`, admitted by Kueue's full manager from one queue with a quota of all GPUs. */
export function createKueue(peer: KueuePeer, gpus: number): Contender {
  return {
    name: "kueue",
    namespace: NAMESPACE,
    resource: { group: "batch", version: "v1", plural: "jobs", namespace: NAMESPACE },
    job: (name) => aKueueJob(name, QUEUE),
    async start({ cluster, folder, reaper }) {
      const manager = await startKueueManager({
        cluster,
        peer,
        reaper,
        dir: folder,
        identity: KUEUE_IDENTITY.name,
      });
      await createKueueQueue(cluster, { name: QUEUE, namespace: NAMESPACE, gpus });
      return { process: { pid: manager.pid, user: KUEUE_IDENTITY.user }, stop: () => manager.stop() };
    },
  };
}
