import { isFinished } from "#crds/conditions.ts";
import { type Brand } from "#crds/brand.ts";
import { type OpalJob, type OpalJobSpec } from "#crds/opaljob.ts";
import { DEFAULT_QUEUE } from "#crds/opalqueue.ts";
import type { Stage } from "#crds/stages.ts";
import { fromTimestamp } from "#crds/timestamp.ts";
import { workloadNamed } from "../schedule/workload.ts";
import type { Holding, JobState } from "../schedule/world.ts";
import { assess, type Assessment } from "./assess.ts";
import { nextChanges, nextShardCount } from "./next-attempt.ts";
import type { JobSight, ObservedChild, ObservedPod } from "./observed.ts";
import { gpusOf, podsOnGpus, usageOf } from "./usage.ts";

const ANY_GPU = { classes: [], minVramGiB: 0, minGpus: 1, maxGpus: 1 };

export interface JobStateSettings {
  readonly shardSize: number;
  /** The most memory that a GPU of any pool has. */
  readonly largestVramGiB: number;
}

/**
 * What the scheduler is told of a job; undefined for one that is finished, suspended, being deleted, has nothing
 * left to do, or rides in a shared child whose driver asks for all.
 */
export function jobStateOf(
  key: string,
  sight: JobSight,
  settings: JobStateSettings,
  nowMs: number,
): JobState | undefined {
  const { job } = sight;
  const assessment = assess(sight);
  if (asksForNothing(sight, assessment)) return undefined;
  const openShards = assessment.active?.openShards ?? nextShardCount(job, assessment, settings);
  if (openShards === 0) return undefined;
  const holding = holdingOf(sight, assessment, nowMs);
  return {
    uid: job.metadata.uid,
    key,
    ...wishesOf(job),
    ...budgetOf(job, assessment),
    queue: sight.queue ?? job.spec.queue ?? DEFAULT_QUEUE,
    createdAtMs: sight.createdAtMs,
    minVramGiB: minVramGiB(sight, assessment, settings),
    openImages: openImages(assessment),
    openShards,
    usedGpuSeconds: usageOf(sight, nowMs).gpuSeconds,
    ...(holding && { holding: holding.state }),
    endingGpus: endingGpus(sight, holding?.pods ?? []),
  };
}

/** Finished, suspended or being deleted: it asks for nothing. */
export function isOut({ metadata, spec, status }: OpalJob): boolean {
  return metadata.deletionTimestamp !== undefined || spec.suspend || isFinished(status.conditions ?? []);
}

function asksForNothing({ job, deletedAtMs }: JobSight, { active }: Assessment): boolean {
  const isPassenger = active?.child.shared?.isDriver === false;
  return deletedAtMs !== undefined || isOut(job) || isPassenger;
}

/** A driver asks for all that ride with it. */
function openImages({ active, total, done, failed }: Assessment): number {
  return Math.max(1, active?.child.shared?.openItems ?? total - done.size - failed.size);
}

/** What its spec says, whatever has become of it. */
function wishesOf({ spec }: OpalJob) {
  const { classes, minGpus, maxGpus } = spec.gpu ?? ANY_GPU;
  return {
    tenant: spec.tenant,
    priority: spec.priority,
    ...(spec.deadline !== undefined && { deadlineMs: fromTimestamp(spec.deadline) }),
    classes,
    minGpus,
    maxGpus,
    workload: workloadOf(spec),
  };
}

/** Who rides in a shared child had none; one that it was given since is not the others' affair. */
function budgetOf({ spec }: OpalJob, { active }: Assessment): Pick<JobState, "budgetGpuSeconds"> {
  return spec.budget && !active?.child.shared ? { budgetGpuSeconds: spec.budget.gpuSeconds } : {};
}

/** What is done with a picture, as far as it decides how long that takes. */
export function workloadOf({ stages, brand }: Pick<OpalJobSpec, "stages" | "brand">): string {
  return workloadNamed(stages.map((stage) => stageWork(stage, brand)));
}

/** A stage as far as the brand decides how long it takes: `place-studio`, `upscale-2x`. */
export function stageWork(stage: Stage, { placement, upscale }: Brand): string {
  if (stage === "place") return `place-${placement}`;
  return stage === "upscale" ? `upscale-${upscale}x` : stage;
}

/** More than it asks for when memory ran out again and again, if there are larger GPUs. */
function minVramGiB({ job, children }: JobSight, assessment: Assessment, settings: JobStateSettings): number {
  const asked = job.spec.gpu?.minVramGiB ?? 0;
  const last = children.at(-1);
  if (!last || assessment.active || !nextChanges(assessment).needsMoreVram) return asked;
  return Math.max(asked, Math.min(last.vramGiB + 1, settings.largestVramGiB));
}

function holdingOf(
  { job }: JobSight,
  { active }: Assessment,
  nowMs: number,
): { state: Holding; pods: readonly ObservedPod[] } | undefined {
  const gpus = gpusOf(active);
  if (!active || gpus === 0) return undefined;
  const { child } = active;
  const pods = podsOnGpus(child)
    .filter((pod) => !pod.isDeleting)
    .sort((a, b) => a.shard - b.shard)
    .slice(0, gpus);
  const nodeless = pods.filter((pod) => pod.nodeName === undefined).map((pod) => pod.createdAtMs);
  const work = pods.map((pod) => workOf(pod, nowMs));
  return {
    pods,
    state: {
      pool: child.pool,
      gpus,
      sinceMs: sinceMs(job, child),
      startedGpus: pods.filter((pod) => pod.startedAtMs !== undefined).length,
      ...(nodeless.length > 0 && { nodelessSinceMs: Math.min(...nodeless) }),
      shardGpuSeconds: sum(work.map((one) => one.gpuSeconds)),
      unsavedGpuSeconds: sum(work.map((one) => one.unsavedGpuSeconds)),
    },
  };
}

function sinceMs({ status }: OpalJob, child: ObservedChild): number {
  const { assignment } = status;
  // A new driver has not just begun.
  if (child.shared) return child.createdAtMs;
  return assignment?.pool === child.pool ? fromTimestamp(assignment.since) : child.createdAtMs;
}

function workOf(pod: ObservedPod, nowMs: number): { gpuSeconds: number; unsavedGpuSeconds: number } {
  if (pod.startedAtMs === undefined) return { gpuSeconds: 0, unsavedGpuSeconds: 0 };
  const gpuSeconds = Math.max(0, (nowMs - pod.startedAtMs) / 1000);
  return { gpuSeconds, unsavedGpuSeconds: Math.max(0, gpuSeconds - (pod.progress?.gpuSeconds ?? 0)) };
}

/** By pool: pods of earlier attempts, and those that a smaller allocation has no room for. */
function endingGpus(sight: JobSight, held: readonly ObservedPod[]): Record<string, number> {
  const ending: Record<string, number> = {};
  const kept = new Set(held.map((pod) => pod.uid));
  for (const child of sight.children) {
    const count = podsOnGpus(child).filter((pod) => !kept.has(pod.uid)).length;
    if (count > 0) ending[child.pool] = (ending[child.pool] ?? 0) + count;
  }
  return ending;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
