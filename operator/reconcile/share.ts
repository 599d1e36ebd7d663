/**
 * Small jobs share a child: a job that is launched takes along jobs that would wait anyway. How many is guided
 * self-scheduling (Polychronopoulos & Kuck 1987): as many as leave every GPU its part of what waits, so parts are
 * large while much waits and small towards the end, when one long child would keep all others waiting.
 */
import { MAX_SHARD_ITEMS } from "#crds/runner-report.ts";
import type { GpuPool } from "#crds/gpupool.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { OpalQueueSpec } from "#crds/opalqueue.ts";
import type { BlockedOn } from "../schedule/plan.ts";
import { counted } from "../schedule/words.ts";
import { assess, type Assessment } from "./assess.ts";
import type { Decision } from "./decision.ts";
import { type Rider, sharedJob, sharedManifest } from "./desired-shared-job.ts";
import { isCarried } from "./manifest.ts";
import { nextAttempt, nextShardCount } from "./next-attempt.ts";
import type { JobPlacement, JobSight } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";

/** Jobs of the same key may share a child. */
export interface Share {
  readonly key: string;
  readonly items: number;
}

type ShareSettings = Pick<ReconcileSettings, "shardSize" | "coalesce" | "kueue">;

/** What the job would bring into a shared child; undefined when it goes alone. */
export function shareOf(sight: JobSight, settings: ShareSettings): Share | undefined {
  if (settings.kueue || settings.coalesce.maxItems < 2 || !isSmall(sight.job)) return undefined;
  const assessment = assess(sight);
  if (!isUntried(sight, assessment) || nextShardCount(sight.job, assessment, settings) !== 1)
    return undefined;
  const items = assessment.fresh.length;
  return items < settings.coalesce.maxItems ? { key: shareKey(sight), items } : undefined;
}

function isSmall({ spec }: OpalJob): boolean {
  return spec.items !== undefined && spec.budget === undefined && (spec.gpu?.minGpus ?? 1) === 1;
}

/**
 * It has not been tried, or only in shared children that gave their GPU back. What crashed in a shared child goes
 * on alone: then only the guilty one fails.
 */
function isUntried({ children }: JobSight, { active, history, attempts, fresh }: Assessment): boolean {
  return (
    active === undefined &&
    fresh.length > 0 &&
    history.size === 0 &&
    attempts === (children.at(-1)?.attempt ?? 0) &&
    children.every(
      ({ shared, isEnded, failedShards }) => shared?.isRetired && !isEnded && failedShards.size === 0,
    )
  );
}

/** All that decides where and when the scheduler starts a job, and how its pod is made. */
function shareKey({ job: { metadata, spec }, queue }: JobSight): string {
  const { namespace } = metadata;
  return JSON.stringify([namespace, spec.tenant, queue, spec.priority, spec.gpu ?? null, spec.retry ?? null]);
}

export function riderOf(sight: JobSight, settings: { shardSize: number }): Rider | undefined {
  const assessment = assess(sight);
  const attempt = nextAttempt(sight.job, assessment, settings);
  return attempt && { job: sight.job, attempt, done: assessment.done };
}

/** What would end with more GPUs or a larger quota; not what is wrong with the job, its budget or its pools. */
const WAITS_FOR_ROOM: readonly BlockedOn[] = ["gpus", "preemption", "order", "quota", "cohort", "max-jobs"];

export function waitsForRoom(placement: JobPlacement | undefined): boolean {
  return placement?.kind === "waiting" && WAITS_FOR_ROOM.includes(placement.blockedOn);
}

/** GPUs of the pool that the queue can have at most. */
export function usableGpus({ spec }: GpuPool, queue: OpalQueueSpec | undefined): number {
  if (!queue || queue.quotas.length === 0) return spec.maxGpus;
  const quota = queue.quotas.find((one) => one.class === spec.gpuClass);
  const borrowed = queue.cohort === undefined ? 0 : (quota?.borrowingLimit ?? Infinity);
  return Math.min(spec.maxGpus, (quota?.nominal ?? 0) + borrowed);
}

export interface Company {
  /** Items of all jobs that could share a child with this one, its own included. */
  readonly items: number;
  /** GPUs that they can have at most. */
  readonly gpus: number;
  /** Waiting ones in the order of their queue. */
  readonly waiting: Iterable<{ readonly key: string; readonly rider: Rider }>;
}

/** Makes of a job's launch one with passengers, when there are any. */
export function withPassengers(
  decision: Decision,
  leader: Rider & { readonly company: Company },
  settings: ReconcileSettings,
): Decision {
  const { action } = decision;
  if (action.do !== "launch") return decision;
  const { riders, keys } = boarding(leader, leader.company, settings);
  if (keys.length === 0) return decision;
  const because = `${decision.because.replace(/\.$/, "")}; ${counted(keys.length, "waiting job")} along with it.`;
  return {
    ...decision,
    because,
    action: { ...action, manifest: sharedJob(action.manifest, riders), passengers: keys },
  };
}

function boarding(
  leader: Rider,
  { items, gpus, waiting }: Company,
  { coalesce }: Pick<ReconcileSettings, "coalesce">,
): { riders: readonly Rider[]; keys: readonly string[] } {
  const part = Math.ceil(items / Math.max(1, gpus));
  let room = Math.min(part, coalesce.maxItems, MAX_SHARD_ITEMS) - leader.attempt.items.length;
  let riders: readonly Rider[] = [leader];
  const keys: string[] = [];
  if (room <= 0) return { riders, keys };
  for (const { key, rider } of waiting) {
    room -= rider.attempt.items.length;
    const more = [...riders, rider];
    // Nobody is passed by a smaller one.
    if (room < 0 || !isCarried(sharedManifest(more))) break;
    riders = more;
    keys.push(key);
    if (room === 0) break;
  }
  return { riders, keys };
}
