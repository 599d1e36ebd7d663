import type { ActiveChild } from "./assess.ts";
import type { JobSight, ObservedChild, ObservedPod, Usage } from "./observed.ts";

export const NO_USAGE: Usage = { gpuSeconds: 0, coldStartSeconds: 0, wastedGpuSeconds: 0, cost: 0 };
const SECONDS_PER_HOUR = 3600;

/**
 * What the job has used: a pod uses one GPU from its start to its end, whatever it does with it. GPU time of
 * pods that died without a verdict is wasted as far as their last progress does not account for it.
 */
export function usageOf({ children, carried }: Pick<JobSight, "children" | "carried">, nowMs: number): Usage {
  return children
    .flatMap(({ pods, pricePerGpuHour }) => pods.map((pod) => usageOfPod(pod, nowMs, pricePerGpuHour)))
    .reduce(addUsage, carried);
}

export function usageOfPod(pod: ObservedPod, nowMs: number, pricePerGpuHour: number): Usage {
  if (pod.startedAtMs === undefined) return NO_USAGE;
  const gpuSeconds = Math.max(0, ((pod.finishedAtMs ?? nowMs) - pod.startedAtMs) / 1000);
  const cost = (gpuSeconds / SECONDS_PER_HOUR) * pricePerGpuHour;
  if (pod.verdict) {
    const { coldStartSeconds, wastedGpuSeconds } = pod.verdict;
    return { gpuSeconds, coldStartSeconds, wastedGpuSeconds, cost };
  }
  const isDead = pod.isGone || pod.phase === "Failed";
  const wastedGpuSeconds = isDead ? Math.max(0, gpuSeconds - (pod.progress?.gpuSeconds ?? 0)) : 0;
  return { gpuSeconds, coldStartSeconds: 0, wastedGpuSeconds, cost };
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    gpuSeconds: a.gpuSeconds + b.gpuSeconds,
    coldStartSeconds: a.coldStartSeconds + b.coldStartSeconds,
    wastedGpuSeconds: a.wastedGpuSeconds + b.wastedGpuSeconds,
    cost: a.cost + b.cost,
  };
}

/** Live pods, of a shared one as this job sees it. */
export function livePods(sight: Pick<JobSight, "children">): ObservedPod[] {
  return sight.children.flatMap(livePodsOf);
}

export function livePodsOf(child: Pick<ObservedChild, "pods">): ObservedPod[] {
  return child.pods.filter((pod) => !pod.isGone && (pod.phase === "Running" || pod.phase === "Pending"));
}

/** Live pods whose GPUs are counted to this job, as they are: those of a shared child to one of its members. */
export function podsOnGpus(child: ObservedChild): ObservedPod[] {
  if (!child.shared) return livePodsOf(child);
  return child.shared.isAccountant ? livePodsOf(child.shared) : [];
}

export function runningPods(sight: Pick<JobSight, "children">): ObservedPod[] {
  return livePods(sight).filter(({ phase }) => phase === "Running");
}

/** GPUs that a child holds: its parallelism is its allocation, as far as it has shards to use it. */
export function gpusOf(active: ActiveChild | undefined): number {
  if (!active || active.child.isSuspended) return 0;
  return Math.min(active.child.parallelism, active.openShards);
}
