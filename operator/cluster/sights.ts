/**
 * Caches → what is to be seen of each OpalJob, computed anew only for jobs of which something changed, because
 * the scheduler looks at all of them in every pass.
 */
import { isFinished } from "#crds/conditions.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { assess } from "../reconcile/assess.ts";
import { nextShardCount } from "../reconcile/next-attempt.ts";
import type { JobSight, ObservedChild, Usage } from "../reconcile/observed.ts";
import { livePods, NO_USAGE, usageOf } from "../reconcile/usage.ts";
import type { Demand } from "../schedule/schedule.ts";
import type { Caches } from "./caches.ts";
import type { ChildJob } from "./child-job.ts";
import type { JobMemory, Memory } from "./memory.ts";

export interface Sighting {
  /** Undefined when the OpalJob is gone and only pods of it are left. */
  readonly sight: JobSight | undefined;
  /** What it asks of the scheduler; undefined for one that is finished, suspended or being deleted. */
  readonly demand: Demand | undefined;
  readonly livePods: number;
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
  const pods = caches.pods.by("opalJob", key);
  const live = pods.filter((pod) => pod.phase === "Pending" || pod.phase === "Running").length;
  const job = caches.opalJobs.get(key);
  if (!job) return { sight: undefined, demand: undefined, livePods: live };
  const children = childrenOf(job, caches, memory);
  const remembered = memoryOf(memory, job.metadata.uid);
  remembered.carried ??= carriedFor(job, children, nowMs);
  const sight: JobSight = {
    job,
    createdAtMs: Date.parse(job.metadata.creationTimestamp),
    deletedAtMs: timeOf(job.metadata.deletionTimestamp),
    completedAtMs: timeOf(job.status.completionTime),
    children,
    carried: remembered.carried,
  };
  return { sight, demand: demandOf(key, sight, settings), livePods: live };
}

export function memoryOf(memory: Memory, uid: string): JobMemory {
  const known = memory.jobs.get(uid);
  if (known) return known;
  const fresh: JobMemory = { carried: undefined, statusWrittenAtMs: undefined };
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
  const pods = [...memory.podsOf(child.uid), ...caches.pods.by("child", child.uid)];
  return {
    ...child,
    hasManifest: caches.configMaps.get(`${child.namespace}/${child.name}`) !== undefined,
    pods: pods.sort((a, b) => a.createdAtMs - b.createdAtMs),
  };
}

/** What the status stated and no pod that is still known accounts for. */
function carriedFor(job: OpalJob, children: readonly ObservedChild[], nowMs: number): Usage {
  const known = usageOf({ children, carried: NO_USAGE }, nowMs);
  const stated = job.status.usage ?? NO_USAGE;
  return {
    gpuSeconds: Math.max(0, stated.gpuSeconds - known.gpuSeconds),
    coldStartSeconds: Math.max(0, stated.coldStartSeconds - known.coldStartSeconds),
    wastedGpuSeconds: Math.max(0, stated.wastedGpuSeconds - known.wastedGpuSeconds),
  };
}

function demandOf(key: string, sight: JobSight, settings: SightSettings): Demand | undefined {
  const { job } = sight;
  const isOut = sight.deletedAtMs !== undefined || job.spec.suspend;
  if (isOut || isFinished(job.status.conditions ?? [])) return undefined;
  const assessment = assess(sight);
  const { active } = assessment;
  const openShards = active?.openShards ?? nextShardCount(job, assessment, settings);
  if (openShards === 0) return undefined;
  const { classes, minVramGiB, minGpus, maxGpus } = job.spec.gpu ?? ANY_GPU;
  return {
    key,
    createdAtMs: sight.createdAtMs,
    classes,
    minVramGiB,
    minGpus,
    maxGpus,
    openShards,
    held: active ? Math.min(active.child.parallelism, active.openShards) : 0,
    livePods: livePods(sight).length,
  };
}

const ANY_GPU = { classes: [], minVramGiB: 0, minGpus: 1, maxGpus: 1 };
