import type { JobSight, ObservedPod, Usage } from "./observed.ts";

export const NO_USAGE: Usage = { gpuSeconds: 0, coldStartSeconds: 0, wastedGpuSeconds: 0 };

/**
 * What the job has used: a pod uses one GPU from its start to its end, whatever it does with it. GPU time of
 * pods that died without a verdict is wasted as far as their last progress does not account for it.
 */
export function usageOf({ children, carried }: Pick<JobSight, "children" | "carried">, nowMs: number): Usage {
  return children
    .flatMap((child) => child.pods)
    .map((pod) => usageOfPod(pod, nowMs))
    .reduce(addUsage, carried);
}

export function usageOfPod(pod: ObservedPod, nowMs: number): Usage {
  if (pod.startedAtMs === undefined) return NO_USAGE;
  const gpuSeconds = Math.max(0, ((pod.finishedAtMs ?? nowMs) - pod.startedAtMs) / 1000);
  if (pod.verdict) {
    const { coldStartSeconds, wastedGpuSeconds } = pod.verdict;
    return { gpuSeconds, coldStartSeconds, wastedGpuSeconds };
  }
  const isDead = pod.isGone || pod.phase === "Failed";
  const wastedGpuSeconds = isDead ? Math.max(0, gpuSeconds - (pod.progress?.gpuSeconds ?? 0)) : 0;
  return { gpuSeconds, coldStartSeconds: 0, wastedGpuSeconds };
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    gpuSeconds: a.gpuSeconds + b.gpuSeconds,
    coldStartSeconds: a.coldStartSeconds + b.coldStartSeconds,
    wastedGpuSeconds: a.wastedGpuSeconds + b.wastedGpuSeconds,
  };
}

/** Live pods: each takes one GPU of the pool. */
export function livePods(sight: Pick<JobSight, "children">): ObservedPod[] {
  return sight.children.flatMap((child) =>
    child.pods.filter((pod) => !pod.isGone && (pod.phase === "Running" || pod.phase === "Pending")),
  );
}
