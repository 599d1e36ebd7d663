import { GROUP, VERSION } from "#crds/names.ts";
import type { Resource } from "../runtime/api-client.ts";

/** The kinds of objects that the operator works with: in its namespace, and those of the whole cluster. */
export function resourcesIn(namespace: string) {
  return {
    opalJobs: { group: GROUP, version: VERSION, plural: "opaljobs", namespace },
    jobs: { group: "batch", version: "v1", plural: "jobs", namespace },
    pods: { group: "", version: "v1", plural: "pods", namespace },
    configMaps: { group: "", version: "v1", plural: "configmaps", namespace },
    gpuPools: { group: GROUP, version: VERSION, plural: "gpupools" },
    opalQueues: { group: GROUP, version: VERSION, plural: "opalqueues" },
    nodes: { group: "", version: "v1", plural: "nodes" },
    events: { group: "events.k8s.io", version: "v1", plural: "events", namespace },
    leases: { group: "coordination.k8s.io", version: "v1", plural: "leases", namespace },
  } satisfies Record<string, Resource>;
}
export type Resources = ReturnType<typeof resourcesIn>;
