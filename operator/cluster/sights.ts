/**
 * Caches → what is to be seen of each OpalJob, computed anew only for jobs of which something changed, because
 * the scheduler looks at all of them in every pass.
 */
import { isFinished } from "#crds/conditions.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { queueOf } from "#crds/opalqueue.ts";
import { jobStateOf } from "../reconcile/job-state.ts";
import type { JobSight, ObservedChild, Usage } from "../reconcile/observed.ts";
import type { ReconcileSettings } from "../reconcile/settings.ts";
import { type Share, shareOf } from "../reconcile/share.ts";
import { NO_USAGE, usageOf } from "../reconcile/usage.ts";
import type { JobState } from "../schedule/world.ts";
import type { Caches } from "./caches.ts";
import { childrenOf, podsCountedTo, takenNumber } from "./children.ts";
import type { JobMemory, Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

export interface Sighting {
  /** Undefined when the OpalJob is gone and only pods of it are left. */
  readonly sight: JobSight | undefined;
  /** What it asks of the scheduler, as of then; undefined for one that is finished, suspended or being deleted. */
  readonly state: JobState | undefined;
  /** GPUs that live pods take, by pool: of a shared child's pods only where they are counted to this job. */
  readonly liveGpus: Readonly<Record<string, number>>;
  /** What it would bring into a shared child; undefined when it goes alone. */
  readonly share: Share | undefined;
}

export type SightSettings = Pick<ReconcileSettings, "shardSize" | "coalesce" | "kueue">;

export function look(
  key: string,
  caches: Caches,
  memory: Memory,
  { settings, nowMs }: { settings: SightSettings; nowMs: number },
): Sighting {
  const known = { caches, memory };
  const liveGpus = countByPool(podsCountedTo(key, known));
  const job = caches.opalJobs.get(key);
  if (!job) return { sight: undefined, state: undefined, liveGpus, share: undefined };
  const children = childrenOf(job, known);
  const remembered = memoryOf(memory, job);
  remembered.carried ??= carriedFor(job, children, nowMs);
  const sight: JobSight = {
    job,
    createdAtMs: Date.parse(job.metadata.creationTimestamp),
    deletedAtMs: timeOf(job.metadata.deletionTimestamp),
    completedAtMs: timeOf(job.status.completionTime),
    queue: queueOf(job.spec, (name) => caches.opalQueues.get(name) !== undefined),
    children,
    takenNumber: takenNumber(job, children, known),
    carried: remembered.carried,
  };
  const stateSettings = { ...settings, largestVramGiB: largestVram(caches) };
  const state = jobStateOf(key, sight, stateSettings, nowMs);
  return { sight, state, liveGpus, share: state && shareOf(sight, settings) };
}

export function largestVram({ gpuPools }: Pick<Caches, "gpuPools">): number {
  return Math.max(0, ...gpuPools.values().map(({ spec }) => spec.vramGiB));
}

function countByPool(pods: readonly RunnerPod[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { pool } of pods) counts[pool] = (counts[pool] ?? 0) + 1;
  return counts;
}

/** Of a finished job nothing is remembered: its status is its record. */
export function memoryOf(memory: Memory, { metadata: { uid }, status }: OpalJob): JobMemory {
  if (isFinished(status.conditions ?? [])) {
    memory.jobs.delete(uid);
    return nothingYet();
  }
  const known = memory.jobs.get(uid);
  if (known) return known;
  const fresh = nothingYet();
  memory.jobs.set(uid, fresh);
  return fresh;
}

function nothingYet(): JobMemory {
  return {
    carried: undefined,
    remembered: { statusWrittenAtMs: undefined, launchSeenMs: undefined, runningSinceMs: undefined },
    events: undefined,
  };
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

/** What the status stated and no pod that is still known accounts for. */
function carriedFor(job: OpalJob, children: readonly ObservedChild[], nowMs: number): Usage {
  const known = usageOf({ children, carried: NO_USAGE }, nowMs);
  const stated = job.status.usage ?? NO_USAGE;
  // The same one for all that have used nothing.
  if (Object.values(stated).every((value) => value === 0)) return NO_USAGE;
  return {
    gpuSeconds: Math.max(0, stated.gpuSeconds - known.gpuSeconds),
    coldStartSeconds: Math.max(0, stated.coldStartSeconds - known.coldStartSeconds),
    wastedGpuSeconds: Math.max(0, stated.wastedGpuSeconds - known.wastedGpuSeconds),
    cost: Math.max(0, (stated.cost ?? 0) - known.cost),
  };
}
