import { isSame } from "../reconcile/status-write.ts";
import { addUsage, NO_USAGE, usageOfPod } from "../reconcile/usage.ts";
import type { ChangeSource } from "../runtime/store.ts";
import type { Priority } from "../runtime/work-queue.ts";
import type { Caches } from "./caches.ts";
import type { Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

/**
 * Tells which OpalJobs a change of the caches concerns, and keeps in memory what would otherwise be lost with
 * an object that goes. What was found by listing (at the start, after a gap) is thousands at once and must not delay what
 * somebody has just changed: its priority is low.
 */
export function feed(
  caches: Caches,
  memory: Memory,
  {
    onChanged,
    onWorldChanged,
    nowMs,
  }: {
    onChanged: (key: string, priority: Priority) => void;
    /** Pools or queues have changed in what matters to all jobs. */
    onWorldChanged: () => void;
    nowMs: () => number;
  },
): void {
  const priceOf = (pool: string) => caches.gpuPools.get(pool)?.spec.pricePerGpuHour ?? 0;
  const tell = (key: string, from: ChangeSource) => onChanged(key, from === "list" ? "low" : "high");
  const tellOwner = ({ namespace, opalJob }: { namespace: string; opalJob: string }, from: ChangeSource) =>
    tell(`${namespace}/${opalJob}`, from);

  caches.opalJobs.onChange(({ key, before, after, from }) => {
    if (before && after?.metadata.uid !== before.metadata.uid) memory.jobs.delete(before.metadata.uid);
    tell(key, from);
  });
  caches.unreadableOpalJobs.onChange(({ key, from }) => tell(key, from));
  caches.childJobs.onChange(({ before, after, from }) => {
    if (before && after?.uid !== before.uid) {
      const pods = [...memory.podsOf(before.uid), ...caches.pods.by("child", before.uid)];
      memory.carry(before.ownerUids, usageOfPods(pods, nowMs(), priceOf(before.pool)));
      memory.forgetChild(before.uid);
    }
    const child = after ?? before;
    if (child) tellOwner(child, from);
  });
  const isOrphan = (pod: RunnerPod) => caches.childJobs.by("uid", pod.childUid).length === 0;
  caches.pods.onChange(({ before, after, from }) => {
    if (before && after?.uid !== before.uid) {
      memory.ledger.note(before, nowMs());
      if (!isOrphan(before)) memory.rememberPod(before, nowMs());
    }
    if (after) memory.ledger.note(after, undefined);
    const pod = after ?? before;
    if (pod) tellOwner(pod, from);
  });
  caches.configMaps.onChange(({ key, before, after, from }) => {
    const namespace = key.slice(0, key.indexOf("/"));
    const configMap = after ?? before;
    if (configMap) tellOwner({ namespace, opalJob: configMap.opalJob }, from);
  });
  caches.gpuPools.onChange(({ before, after }) => {
    if (!isSame(before?.spec, after?.spec)) onWorldChanged();
  });
  caches.opalQueues.onChange(({ key, before, after }) => {
    // Whoever wrote the account: a standby's ledger must not grow while another leads.
    const { at } = after?.status.usage ?? {};
    if (at !== undefined) memory.ledger.settle(key, Date.parse(at));
    if (!isSame(before?.spec, after?.spec)) onWorldChanged();
  });
  caches.nodes.onChange(({ key, before, after, from }) => {
    if (before?.unreachableSinceMs === after?.unreachableSinceMs) return;
    for (const pod of caches.pods.by("node", key)) tellOwner(pod, from);
  });
}

function usageOfPods(pods: readonly RunnerPod[], nowMs: number, pricePerGpuHour: number) {
  return pods.map((pod) => usageOfPod(pod, nowMs, pricePerGpuHour)).reduce(addUsage, NO_USAGE);
}
