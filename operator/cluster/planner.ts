/**
 * Keeps the plan for all jobs up to date and says whose part of it has changed. What is to be seen of a job is
 * computed anew only when something about it has changed; a plan is made only when the scheduler would see a
 * difference or time brings one, and no more often than planning leaves time for other work. The scheduler is
 * told what has changed since its last plan: jobs that were looked at anew, and those that time alone changes.
 */
import { isFinished } from "#crds/conditions.ts";
import type { GpuPool } from "#crds/gpupool.ts";
import { assess } from "../reconcile/assess.ts";
import { jobStateOf } from "../reconcile/job-state.ts";
import type { JobSight } from "../reconcile/observed.ts";
import { isSame } from "../reconcile/status-write.ts";
import { backoffMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { createExpectations } from "../runtime/expectations.ts";
import type { Placement, Plan } from "../schedule/plan.ts";
import type { JobState, StockOutMemory, World } from "../schedule/world.ts";
import { createKeptWorld } from "./kept-world.ts";
import { createPlanComparer } from "./plan-difference.ts";
import { createPlanMaker, type PlanTrouble } from "./plan-maker.ts";
import { createPlanPace } from "./plan-pace.ts";
import { createRiders, type Riders } from "./riders.ts";
import { createShareIndex, type ShareIndex } from "./share-index.ts";
import { largestVram, type Sighting } from "./sights.ts";
import type { WorldParts } from "./world-view.ts";

export interface Planner {
  /** Something about this job has changed. */
  invalidate(key: string): void;
  /** Pools, queues or nodes have changed: all jobs are looked at again. */
  invalidateAll(): void;
  sight(key: string): JobSight | undefined;
  /** The job's part of the plan; undefined for a job that asks for nothing. */
  placement(key: string): Placement | undefined;
  /** The job, or who drives its child, asks for GPUs, and no plan answers: `onChanged` will tell when one does. */
  isUnplanned(key: string): boolean;
  pool(name: string): GpuPool | undefined;
  /**
   * Counts GPUs as taken that are being assigned right now, until the caches show it; else a second pass
   * could give them away again. Undefined ends that.
   */
  assume(key: string, taken: Taken | undefined): void;
  /**
   * Jobs that are being taken along in another's child right now ask for nothing until the caches show it, and
   * nobody else takes them along. False ends that.
   */
  reserve(keys: readonly string[], isReserved: boolean): void;
  /** Jobs without GPUs that may share a child, by `Share.key`. */
  readonly sharing: Pick<ShareIndex, "items" | "first">;
  readonly riders: Pick<Riders, "in" | "on">;
  /** Makes the plan that is due, if one is. When none can be made nothing has a plan until one can. */
  replan(): void;
  /** The newest plan. */
  readonly plan: Plan | undefined;
  readonly keys: readonly string[];
}

export interface Taken {
  readonly pool: string;
  readonly gpus: number;
}

export interface PlannerSettings extends WorldParts {
  readonly shardSize: number;
  readonly look: (key: string) => Sighting;
  /** The job's GPUs or the reason why it has none have changed: see to it. */
  readonly onChanged: (key: string, place: { readonly hasGpus: boolean }) => void;
  /** Only its place in the queue has changed: see to it soon near the queue's head, and else some time. */
  readonly onMoved: (key: string, place: { readonly isNearHead: boolean }) => void;
  readonly onUnreadable: (key: string, error: unknown) => void;
  /** Planning goes on: without a job, or after a while. */
  readonly onTrouble: (trouble: PlanTrouble) => void;
  /** A plan is due: call `replan` after so long. */
  readonly onDue: (afterMs: number) => void;
  /** Told of every plan with the whole world, which is put together for it alone. */
  readonly record?: ((world: World, plan: Plan) => void) | undefined;
  readonly clock: Pick<Clock, "now" | "monotonicMs">;
  /** From the beginning of one plan to that of the next at least; longer when plans take long. */
  readonly minIntervalMs: number;
}

/** An assignment whose outcome is unknown (the answer was lost) counts so long. */
const ASSUMED_MS = 30_000;
/** No plan could be made: jobs that run go on meanwhile, and nothing else happens. */
const RETRY = { baseMs: 1000, maxMs: 60_000 };

export function createPlanner(settings: PlannerSettings): Planner {
  const { caches, clock } = settings;
  const sightings = new Map<string, Sighting>();
  let lastLook: { readonly key: string; readonly seen: Sighting } | undefined;
  /** To be looked at again. */
  const dirty = new Set<string>();
  /** To be told to the scheduler with its next plan. */
  const due = new Set<string>();
  const assumed = createExpectations<Taken>({ clock, limitMs: ASSUMED_MS });
  const reserved = createExpectations<true>({ clock, limitMs: ASSUMED_MS });
  const sharing = createShareIndex();
  const riders = createRiders();
  const stockOuts = new Map<string, StockOutMemory>();
  const kept = createKeptWorld(settings);
  /** Jobs with which no plan can be made. */
  const leftOut = new Set<string>();
  const maker = createPlanMaker({ kept, leaveOut, onTrouble: settings.onTrouble });
  let comparer = createPlanComparer();
  let plan: Plan | undefined;
  let isPlanned = false;
  const pace = createPlanPace(settings);
  let failures = 0;
  let retryAtMs = -Infinity;
  let wakeAtMs = Infinity;

  function refresh(): void {
    for (const key of dirty) {
      const before = sightings.get(key);
      const after = lookSafely(key);
      if (after.sight || hasGpus(after)) sightings.set(key, isSettled(after) ? SETTLED : after);
      else sightings.delete(key);
      lastLook = { key, seen: after };
      riders.put(key, after);
      due.add(key);
      if (isSame(before && partOfWorld(before), partOfWorld(after))) continue;
      leftOut.delete(key);
      isPlanned = false;
    }
    dirty.clear();
  }

  /** What is not kept is looked at again: for some passes in a row, and then seldom. */
  function sightOf(key: string): JobSight | undefined {
    const kept = sightings.get(key);
    if (kept !== SETTLED) return kept?.sight;
    if (lastLook?.key !== key) lastLook = { key, seen: lookSafely(key) };
    return lastLook.seen.sight;
  }

  /** A job that cannot be looked at is left out; it must not keep the others from being planned. */
  function lookSafely(key: string): Sighting {
    try {
      return settings.look(key);
    } catch (error) {
      settings.onUnreadable(key, error);
      return UNSEEN;
    }
  }

  function replan(): void {
    refresh();
    const nowMs = clock.now().getTime();
    if (isPlanned && nowMs < wakeAtMs) return wakeUp(nowMs);
    const waitMs = Math.max(pace.waitMs(), retryAtMs - clock.monotonicMs());
    if (waitMs > 0) return settings.onDue(waitMs);
    pace.begin();
    wakeAtMs = Infinity;
    try {
      for (const key of due) tellJob(key, nowMs);
      kept.lookAround(stockOuts, nowMs);
      plan = undefined;
      plan = maker.make(nowMs);
      settings.record?.(kept.world(), plan);
      take(plan);
    } catch (error) {
      return tryAgain(error);
    } finally {
      pace.end();
    }
    isPlanned = true;
    failures = 0;
    wakeUp(nowMs);
  }

  function tryAgain(error: unknown): void {
    plan = undefined;
    isPlanned = false;
    maker.distrust();
    comparer = createPlanComparer();
    const waitMs = backoffMs(++failures, RETRY, 1);
    retryAtMs = clock.monotonicMs() + waitMs;
    settings.onTrouble({ what: "plan", error, waitMs });
    settings.onDue(waitMs);
  }

  function leaveOut(key: string, nowMs: number): void {
    leftOut.add(key);
    tellJob(key, nowMs);
    kept.lookAround(stockOuts, nowMs);
  }

  function wakeUp(nowMs: number): void {
    if (wakeAtMs < Infinity) settings.onDue(Math.max(0, wakeAtMs - nowMs));
  }

  /** A job stays due while time alone changes it: its pods use GPUs, or an assumption about it will end. */
  function tellJob(key: string, nowMs: number): void {
    const seen = sightings.get(key) ?? UNSEEN;
    const asks = leftOut.has(key) ? undefined : currentSafely(key, seen, nowMs);
    const { state, isAssumed } = assumedState(key, asks, nowMs);
    if (isAssumed) wakeAtMs = nowMs + ASSUMED_MS;
    if (!isAssumed && !hasGpus(seen)) due.delete(key);
    const { share } = seen;
    sharing.put(key, share && state && !state.holding ? { share, state } : undefined);
    kept.putJob(key, state, seen.liveGpus);
  }

  /** The job's state with what is being done about it right now and cannot be seen yet. */
  function assumedState(
    key: string,
    state: JobState | undefined,
    nowMs: number,
  ): { state: JobState | undefined; isAssumed: boolean } {
    if (reserved.of(key)) return { state: undefined, isAssumed: true };
    const taken = takenFrom(key, state);
    if (!taken) return { state, isAssumed: false };
    return { state: state && withTaken(state, taken, nowMs), isAssumed: true };
  }

  function take(next: Plan): void {
    wakeAtMs = Math.min(wakeAtMs, next.wakeAtMs ?? Infinity);
    for (const [name, { stockOut }] of next.pools) if (stockOut) stockOuts.set(name, stockOut);
    const { jobs, goneJobs } = kept.change();
    kept.told();
    // Passes have found no plan for a while: every job is told.
    const changed = failures > 0 ? kept.keys.keys() : jobs.map(({ uid }) => uid);
    const news = { changed, gone: goneJobs };
    for (const { key, isPressing, hasGpus, isNearHead } of comparer.differences(next, kept.keys, news)) {
      if (isPressing) settings.onChanged(key, { hasGpus });
      else settings.onMoved(key, { isNearHead });
    }
  }

  function currentSafely(key: string, seen: Sighting, nowMs: number): JobState | undefined {
    try {
      return current(key, seen, nowMs);
    } catch (error) {
      settings.onUnreadable(key, error);
      return undefined;
    }
  }

  /** Of a job with pods, usage and unsaved work change all the time. */
  function current(key: string, seen: Sighting, nowMs: number): JobState | undefined {
    const { sight, state } = seen;
    if (!sight || !hasGpus(seen)) return state;
    return jobStateOf(
      key,
      sight,
      { shardSize: settings.shardSize, largestVramGiB: largestVram(caches) },
      nowMs,
    );
  }

  /** What is being assigned to the job right now, as long as the caches do not show it. */
  function takenFrom(key: string, state: JobState | undefined): Taken | undefined {
    const taken = assumed.of(key);
    const holding = state?.holding;
    if (!taken || !holding || holding.pool !== taken.pool || holding.gpus < taken.gpus) return taken;
    assumed.settle(key);
    return undefined;
  }

  /** In a shared child its driver asks for all. */
  function askerFor(key: string): string {
    const sight = sightings.get(key)?.sight;
    return (sight && assess(sight).active?.child.shared?.driver) ?? key;
  }

  /** The job's uid, if the plan has answered it. */
  function plannedUid(key: string): string | undefined {
    const uid = sightings.get(key)?.state?.uid;
    return uid !== undefined && kept.keys.has(uid) ? uid : undefined;
  }

  return {
    invalidate: (key) => dirty.add(key),
    invalidateAll() {
      isPlanned = false;
      leftOut.clear();
      for (const key of sightings.keys()) dirty.add(key);
    },
    sight(key) {
      refresh();
      return sightOf(key);
    },
    placement(key) {
      replan();
      const uid = plannedUid(key);
      return uid === undefined ? undefined : plan?.placementOf(uid);
    },
    isUnplanned(key) {
      replan();
      const asking = askerFor(key);
      const seen = sightings.get(asking);
      if (!seen) return asking !== key;
      return seen.state !== undefined && (!plan || plannedUid(asking) === undefined);
    },
    pool: (name) => caches.gpuPools.get(name),
    reserve(keys, isReserved) {
      for (const key of keys) {
        due.add(key);
        sharing.put(key, undefined);
        if (isReserved) reserved.expect(key, true);
        else reserved.settle(key);
      }
      if (!isReserved && keys.length > 0) isPlanned = false;
    },
    sharing,
    riders,
    assume(key, taken) {
      due.add(key);
      sharing.put(key, undefined);
      if (taken) return assumed.expect(key, taken);
      assumed.settle(key);
      isPlanned = false;
    },
    replan,
    get plan() {
      return plan;
    },
    get keys() {
      refresh();
      return [...sightings.keys()];
    },
  };
}

const UNSEEN: Sighting = { sight: undefined, state: undefined, liveGpus: {}, share: undefined };

/** Of the thousands of jobs that have ended is kept that they are there. */
const SETTLED: Sighting = { ...UNSEEN };

function isSettled(seen: Sighting): boolean {
  return seen.sight !== undefined && !hasGpus(seen) && isFinished(seen.sight.job.status.conditions ?? []);
}

function hasGpus({ liveGpus }: Sighting): boolean {
  return Object.keys(liveGpus).length > 0;
}

function withTaken(state: JobState, { pool, gpus }: Taken, nowMs: number): JobState {
  const fresh = { sinceMs: nowMs, startedGpus: 0, shardGpuSeconds: 0, unsavedGpuSeconds: 0 };
  return { ...state, holding: { ...(state.holding ?? fresh), pool, gpus } };
}

/** What the scheduler sees of a job, apart from what time changes: most changes of a job need no new plan. */
function partOfWorld({ state, liveGpus }: Sighting): object {
  if (!state) return { liveGpus };
  const { holding, ...rest } = state;
  return {
    ...rest,
    usedGpuSeconds: 0,
    ...(holding && { holding: { ...holding, shardGpuSeconds: 0, unsavedGpuSeconds: 0 } }),
  };
}
