import { addUsage, NO_USAGE, usageOfPod } from "../reconcile/usage.ts";
import type { Caches } from "./caches.ts";
import type { Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

/**
 * Tells which OpalJobs a change of the caches concerns, and keeps in memory what would otherwise be lost with
 * an object that goes.
 */
export function feed(
  caches: Caches,
  memory: Memory,
  { onChanged, nowMs }: { onChanged: (key: string) => void; nowMs: () => number },
): void {
  const told = (namespace: string, opalJob: string) => onChanged(`${namespace}/${opalJob}`);

  caches.opalJobs.onChange(({ key, before, after }) => {
    if (before && after?.metadata.uid !== before.metadata.uid) memory.jobs.delete(before.metadata.uid);
    onChanged(key);
  });
  caches.childJobs.onChange(({ before, after }) => {
    if (before && after?.uid !== before.uid) {
      const pods = [...memory.podsOf(before.uid), ...caches.pods.by("child", before.uid)];
      memory.carry(before.ownerUids, usageOfPods(pods, nowMs()));
      memory.forgetChild(before.uid);
    }
    const child = after ?? before;
    if (child) told(child.namespace, child.opalJob);
  });
  caches.pods.onChange(({ before, after }) => {
    if (before && after?.uid !== before.uid && caches.childJobs.by("uid", before.childUid).length > 0) {
      memory.rememberPod(before, nowMs());
    }
    const pod = after ?? before;
    if (pod) told(pod.namespace, pod.opalJob);
  });
  caches.configMaps.onChange(({ key, before, after }) => {
    const namespace = key.slice(0, key.indexOf("/"));
    const configMap = after ?? before;
    if (configMap) told(namespace, configMap.opalJob);
  });
}

function usageOfPods(pods: readonly RunnerPod[], nowMs: number) {
  return pods.map((pod) => usageOfPod(pod, nowMs)).reduce(addUsage, NO_USAGE);
}
