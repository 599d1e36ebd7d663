import type { GpuPool } from "#crds/gpupool.ts";
import type { JobSight } from "../reconcile/observed.ts";
import { type Demand, type Placement, type Plan, schedule } from "../schedule/schedule.ts";
import { isSame } from "../reconcile/status-write.ts";
import type { Sighting } from "./sights.ts";

/** Keeps the plan for all jobs up to date and says whose part of it has changed. */
export interface Planner {
  /** Something about this job has changed. */
  invalidate(key: string): void;
  sight(key: string): JobSight | undefined;
  placement(key: string): Placement | undefined;
  /**
   * Counts GPUs as taken that are being assigned right now, until the caches show it; else a second pass
   * could give them away again. Undefined ends that.
   */
  assume(key: string, gpus: number | undefined): void;
  readonly keys: readonly string[];
}

export interface PlannerSettings {
  readonly pool: GpuPool;
  readonly look: (key: string) => Sighting;
  /** The job's GPUs or the reason why it has none have changed: see to it. */
  readonly onChanged: (key: string) => void;
  /** Only its place in the queue has changed: see to it some time. */
  readonly onMoved: (key: string) => void;
  readonly onUnreadable: (key: string, error: unknown) => void;
  readonly nowMs: () => number;
}

/** An assignment whose outcome is unknown (the answer was lost) counts so long. */
const ASSUMED_MS = 30_000;

export function createPlanner(settings: PlannerSettings): Planner {
  const sightings = new Map<string, Sighting>();
  const dirty = new Set<string>();
  const assumed = new Map<string, { gpus: number; untilMs: number }>();
  let plan: Plan = new Map();
  let isPlanned = false;

  function refresh(): void {
    for (const key of dirty) {
      const before = sightings.get(key);
      const after = lookSafely(key);
      if (after.sight || after.livePods > 0) sightings.set(key, after);
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
      return { sight: undefined, demand: undefined, livePods: 0 };
    }
  }

  function replan(): void {
    refresh();
    if (isPlanned) return;
    isPlanned = true;
    const before = plan;
    plan = schedule({ pool: settings.pool, ...demandsOf(sightings, taken) });
    for (const [key, placement] of plan) tellDifference(key, before.get(key), placement);
  }

  function taken(demand: Demand): Demand {
    const assumption = assumed.get(demand.key);
    if (!assumption) return demand;
    if (assumption.untilMs < settings.nowMs()) assumed.delete(demand.key);
    return { ...demand, held: Math.max(demand.held, assumption.gpus) };
  }

  function tellDifference(key: string, before: Placement | undefined, after: Placement): void {
    if (!before || before.kind !== after.kind) settings.onChanged(key);
    else if (before.kind === "admitted" && after.kind === "admitted") {
      if (before.gpus !== after.gpus) settings.onChanged(key);
    } else if (before.kind === "waiting" && after.kind === "waiting") {
      if (before.blockedOn !== after.blockedOn) settings.onChanged(key);
      else if (before.because !== after.because) settings.onMoved(key);
    }
  }

  return {
    invalidate: (key) => dirty.add(key),
    sight(key) {
      refresh();
      return sightings.get(key)?.sight;
    },
    placement(key) {
      replan();
      return plan.get(key);
    },
    assume(key, gpus) {
      isPlanned = false;
      if (gpus === undefined) assumed.delete(key);
      else assumed.set(key, { gpus, untilMs: settings.nowMs() + ASSUMED_MS });
    },
    get keys() {
      refresh();
      return [...sightings.keys()];
    },
  };
}

/** What the scheduler sees of a job: most changes of a job do not change it, and need no new plan. */
function partOfWorld({ demand, livePods }: Sighting): object {
  return demand ? { demand } : { livePods };
}

function demandsOf(
  sightings: ReadonlyMap<string, Sighting>,
  taken: (demand: Demand) => Demand,
): { demands: Demand[]; strayPods: number } {
  const demands: Demand[] = [];
  let strayPods = 0;
  for (const { demand, livePods } of sightings.values()) {
    if (demand) demands.push(taken(demand));
    else strayPods += livePods;
  }
  return { demands, strayPods };
}
