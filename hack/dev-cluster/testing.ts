/** A cluster for tests: one node with eight simulated GPUs, gone with the test file. */
import { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";

export type { Cluster } from "./cluster.ts";

export function startTestCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return startCluster({ nodes: [{ name: "gpu-0", gpus: 8, gpuClass: "simulated" }], ...options });
}
