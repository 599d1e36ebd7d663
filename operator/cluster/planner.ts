/**
 * Keeps the plan for all jobs up to date and says whose part of it has changed. What is to be seen of a job is
 * computed anew only when something about it has changed; a plan is made only when the scheduler would see a
 * difference or time brings one, and no more often than planning leaves time for other work.
 */
import type { GpuPool } from "#crds/gpupool.ts";
import { jobStateOf } from "../reconcile/job-state.ts";
import type { JobSight } from "../reconcile/observed.ts";
import { isSame } from "../reconcile/status-write.ts";
import type { Placement, Plan } from "../schedule/plan.ts";
import type { JobState, StockOutMemory, World } from "../schedule/world.ts";
import { createPlanComparer } from "./plan-difference.ts";
import { largestVram, type Sighting } from "./sights.ts";
import { type WorldParts, worldOf } from "./world-view.ts";

export interface Planner {
  /** Something about this job has changed. */
  invalidate(key: string): void;
  /** Pools, queues or nodes have changed: all jobs are looked at again. */
  invalidateAll(): void;
  sight(key: string): JobSight | undefined;
  /** The job's part of the plan; undefined for a job that asks for nothing. */
  placement(key: string): Placement | undefined;
  /** The job asks for GPUs, and no plan has answered yet: `onChanged` will tell when one has. */
  isUnplanned(key: string): boolean;
  pool(name: string): GpuPool | undefined;
  /**
   * Counts GPUs as taken that are being assigned right now, until the caches show it; else a second pass
   * could give them away again. Undefined ends that.
   */
  assume(key: string, taken: Taken | undefined): void;
  /** Makes the plan that is due, if one is. */
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
  readonly schedule: (world: World, nowMs: number) => Plan;
  readonly shardSize: number;
  readonly look: (key: string) => Sighting;
  /** The job's GPUs or the reason why it has none have changed: see to it. */
  readonly onChanged: (key: string) => void;
  /** Only its place in the queue has changed: see to it some time. */
  readonly onMoved: (key: string) => void;
  readonly onUnreadable: (key: string, error: unknown) => void;
  /** A plan is due: call `replan` after so long. */
  readonly onDue: (afterMs: number) => void;
  readonly record: (world: World, plan: Plan) => void;
  readonly nowMs: () => number;
  /** Between two plans at least. */
  readonly minIntervalMs: number;
}

/** An assignment whose outcome is unknown (the answer was lost) counts so long. */
const ASSUMED_MS = 30_000;

export function createPlanner(settings: PlannerSettings): Planner {
  const { caches, nowMs } = settings;
  const sightings = new Map<string, Sighting>();
  const dirty = new Set<string>();
  const assumed = new Map<string, Taken & { untilMs: number }>();
  const stockOuts = new Map<string, StockOutMemory>();
  const comparer = createPlanComparer();
  let planned = new Map<string, string>();
  let plan: Plan | undefined;
  let isPlanned = false;
  let plannedAtMs = -Infinity;

  function refresh(): void {
    for (const key of dirty) {
      const before = sightings.get(key);
      const after = lookSafely(key);
      if (after.sight || Object.keys(after.liveGpus).length > 0) sightings.set(key, after);
      else sightings.delete(key);
      if (!isSame(before && partOfWorld(before), partOfWorld(after))) isPlanned = false;
    }
    dirty.clear();
  }

  /** A job that cannot be looked at is left out; it must not keep the others from being planned. */
  function lookSafely(key: string): Sighting {
    try {
      return settings.look(key);
    } catch (error) {
      settings.onUnreadable(key, error);
      return { sight: undefined, state: undefined, liveGpus: {} };
    }
  }

  function replan(): void {
    refresh();
    const now = nowMs();
    const wakeAtMs = plan?.wakeAtMs ?? Infinity;
    if (isPlanned && now < wakeAtMs) return wakeAt(wakeAtMs, now);
    const dueMs = plannedAtMs + settings.minIntervalMs;
    if (now < dueMs) return settings.onDue(dueMs - now);
    const world = worldNow(now);
    const next = settings.schedule(world, now);
    settings.record(world, next);
    plannedAtMs = now;
    isPlanned = true;
    take(next, new Map(world.jobs.map(({ uid, key }) => [key, uid])));
    wakeAt(next.wakeAtMs ?? Infinity, now);
  }

  function wakeAt(ms: number, now: number): void {
    if (ms < Infinity) settings.onDue(Math.max(0, ms - now));
  }

  function take(next: Plan, jobs: Map<string, string>): void {
    plan = next;
    planned = jobs;
    for (const [name, { stockOut }] of next.pools) if (stockOut) stockOuts.set(name, stockOut);
    for (const { key, isPressing } of comparer.differences(next, jobs)) {
      if (isPressing) settings.onChanged(key);
      else settings.onMoved(key);
    }
  }

  function worldNow(now: number): World {
    const jobs: JobState[] = [];
    const strayGpus: Record<string, number> = {};
    for (const [key, sighting] of sightings) {
      const state = withAssumption(key, current(key, sighting, now), now);
      if (state) jobs.push(state);
      else addTo(strayGpus, sighting.liveGpus);
    }
    return worldOf(settings, jobs, { strayGpus, stockOuts, nowMs: now });
  }

  /** Of a job with pods, usage and unsaved work change all the time. */
  function current(key: string, { sight, state, liveGpus }: Sighting, now: number): JobState | undefined {
    if (!sight || Object.keys(liveGpus).length === 0) return state;
    return jobStateOf(
      key,
      sight,
      { shardSize: settings.shardSize, largestVramGiB: largestVram(caches) },
      now,
    );
  }

  function withAssumption(key: string, state: JobState | undefined, now: number): JobState | undefined {
    const taken = assumed.get(key);
    if (!state || !taken) return state;
    if (taken.untilMs < now) assumed.delete(key);
    const { holding } = state;
    if (holding?.pool === taken.pool && holding.gpus >= taken.gpus) return state;
    const fresh = { sinceMs: now, startedGpus: 0, shardGpuSeconds: 0, unsavedGpuSeconds: 0 };
    return { ...state, holding: { ...(holding ?? fresh), pool: taken.pool, gpus: taken.gpus } };
  }

  function placement(key: string): Placement | undefined {
    replan();
    const uid = sightings.get(key)?.state?.uid;
    return uid === undefined || planned.get(key) !== uid ? undefined : plan?.placementOf(uid);
  }

  return {
    invalidate: (key) => dirty.add(key),
    invalidateAll() {
      isPlanned = false;
      for (const key of sightings.keys()) dirty.add(key);
    },
    sight(key) {
      refresh();
      return sightings.get(key)?.sight;
    },
    placement,
    isUnplanned(key) {
      replan();
      const uid = sightings.get(key)?.state?.uid;
      return uid !== undefined && planned.get(key) !== uid;
    },
    pool: (name) => caches.gpuPools.get(name),
    assume(key, taken) {
      isPlanned = false;
      if (taken === undefined) assumed.delete(key);
      else assumed.set(key, { ...taken, untilMs: nowMs() + ASSUMED_MS });
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

function addTo(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [pool, gpus] of Object.entries(more)) sum[pool] = (sum[pool] ?? 0) + gpus;
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
