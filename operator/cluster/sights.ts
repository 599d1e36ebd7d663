/**
 * Caches → what is to be seen of each OpalJob, computed anew only for jobs of which something changed, because
 * the scheduler looks at all of them in every pass.
 */
import type { OpalJob } from "#crds/opaljob.ts";
import { queueOf } from "#crds/opalqueue.ts";
import { jobStateOf } from "../reconcile/job-state.ts";
import type { JobSight, ObservedChild, ObservedPod, Usage } from "../reconcile/observed.ts";
import { NO_USAGE, usageOf } from "../reconcile/usage.ts";
import type { JobState } from "../schedule/world.ts";
import type { Caches } from "./caches.ts";
import type { ChildJob } from "./child-job.ts";
import type { JobMemory, Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

export interface Sighting {
  /** Undefined when the OpalJob is gone and only pods of it are left. */
  readonly sight: JobSight | undefined;
  /** What it asks of the scheduler, as of then; undefined for one that is finished, suspended or being deleted. */
  readonly state: JobState | undefined;
  /** GPUs that live pods take, by pool. */
  readonly liveGpus: Readonly<Record<string, number>>;
}

export interface SightSettings {
  readonly shardSize: number;
}

export function look(
  key: string,
  caches: Caches,
  memory: Memory,
  { settings, nowMs }: { settings: SightSettings; nowMs: number },
): Sighting {
  const liveGpus = countByPool(caches.pods.by("opalJob", key).filter(isLive));
  const job = caches.opalJobs.get(key);
  if (!job) return { sight: undefined, state: undefined, liveGpus };
  const children = childrenOf(job, caches, memory);
  const remembered = memoryOf(memory, job.metadata.uid);
  remembered.carried ??= carriedFor(job, children, nowMs);
  const sight: JobSight = {
    job,
    createdAtMs: Date.parse(job.metadata.creationTimestamp),
    deletedAtMs: timeOf(job.metadata.deletionTimestamp),
    completedAtMs: timeOf(job.status.completionTime),
    queue: queueOf(job.spec, (name) => caches.opalQueues.get(name) !== undefined),
    children,
    carried: remembered.carried,
  };
  const stateSettings = { ...settings, largestVramGiB: largestVram(caches) };
  return { sight, state: jobStateOf(key, sight, stateSettings, nowMs), liveGpus };
}

export function largestVram({ gpuPools }: Pick<Caches, "gpuPools">): number {
  return Math.max(0, ...gpuPools.values().map(({ spec }) => spec.vramGiB));
}

function isLive({ phase }: RunnerPod): boolean {
  return phase === "Pending" || phase === "Running";
}

function countByPool(pods: readonly RunnerPod[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { pool } of pods) counts[pool] = (counts[pool] ?? 0) + 1;
  return counts;
}

export function memoryOf(memory: Memory, uid: string): JobMemory {
  const known = memory.jobs.get(uid);
  if (known) return known;
  const fresh: JobMemory = {
    carried: undefined,
    statusWrittenAtMs: undefined,
    runningSinceMs: undefined,
    events: new Map(),
  };
  memory.jobs.set(uid, fresh);
  return fresh;
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function childrenOf(job: OpalJob, caches: Caches, memory: Memory): ObservedChild[] {
  return caches.childJobs
    .by("owner", job.metadata.uid)
    .map((child) => withPods(child, caches, memory))
    .sort((a, b) => a.attempt - b.attempt);
}

function withPods(child: ChildJob, caches: Caches, memory: Memory): ObservedChild {
  const known = caches.pods.by("child", child.uid).map((pod) => withNode(pod, caches));
  const spec = caches.gpuPools.get(child.pool)?.spec;
  return {
    ...child,
    pricePerGpuHour: spec?.pricePerGpuHour ?? 0,
    vramGiB: spec?.vramGiB ?? 0,
    hasManifest:
      child.carriesManifest || caches.configMaps.get(`${child.namespace}/${child.name}`) !== undefined,
    pods: [...memory.podsOf(child.uid), ...known].sort((a, b) => a.createdAtMs - b.createdAtMs),
  };
}

function withNode(pod: RunnerPod, { nodes }: Caches): ObservedPod {
  const unreachableSinceMs =
    pod.nodeName === undefined ? undefined : nodes.get(pod.nodeName)?.unreachableSinceMs;
  return unreachableSinceMs === undefined ? pod : { ...pod, unreachableSinceMs };
}

/** What the status stated and no pod that is still known accounts for. */
function carriedFor(job: OpalJob, children: readonly ObservedChild[], nowMs: number): Usage {
  const known = usageOf({ children, carried: NO_USAGE }, nowMs);
  const stated = job.status.usage ?? NO_USAGE;
  return {
    gpuSeconds: Math.max(0, stated.gpuSeconds - known.gpuSeconds),
    coldStartSeconds: Math.max(0, stated.coldStartSeconds - known.coldStartSeconds),
    wastedGpuSeconds: Math.max(0, stated.wastedGpuSeconds - known.wastedGpuSeconds),
    cost: Math.max(0, (stated.cost ?? 0) - known.cost),
  };
}
