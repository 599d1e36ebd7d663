import type { Plan } from "../schedule/plan.ts";
import { culpritsIn } from "../schedule/culprits.ts";
import { createScheduler, type Scheduler } from "../schedule/scheduler.ts";
import type { KeptWorld } from "./kept-world.ts";

/** What has kept a plan from being made, or nearly so. */
export type PlanTrouble =
  /** The plan of what has changed; a plan of the whole world was made instead. */
  | { readonly what: "step"; readonly error: unknown }
  /** This job; it is left out until something about it changes. */
  | { readonly what: "job"; readonly key: string; readonly error: unknown }
  /** No job in particular; a plan is tried again after a while. */
  | { readonly what: "plan"; readonly error: unknown; readonly waitMs: number };

export interface PlanMakerSettings {
  readonly kept: KeptWorld;
  /** The job does not ask for anything any more; what its pods take is counted as taken by nobody. */
  readonly leaveOut: (key: string, nowMs: number) => void;
  readonly onTrouble: (trouble: PlanTrouble) => void;
}

/**
 * Makes plans of the kept world, of what has changed since the last one where that is possible. A job with which
 * no plan can be made must not keep the others from being planned: it is found, named and left out.
 */
export interface PlanMaker {
  /** @throws {unknown} what the scheduler throws, when no job is to blame. */
  make(nowMs: number): Plan;
  /** The last plan did not hold what it promised: the next one is made anew, and every answer of it is tried. */
  distrust(): void;
}

export function createPlanMaker({ kept, leaveOut, onTrouble }: PlanMakerSettings): PlanMaker {
  let scheduler: Scheduler | undefined;
  let isDistrusted = false;

  /** One that failed half way is not gone on with. */
  function step(nowMs: number): Plan | undefined {
    const stepping = scheduler;
    scheduler = undefined;
    try {
      const plan = stepping?.step(kept.change(), nowMs);
      scheduler = stepping;
      return plan;
    } catch (error) {
      onTrouble({ what: "step", error });
      return undefined;
    }
  }

  function whole(nowMs: number): Plan {
    const world = kept.world();
    const fresh = createScheduler(world);
    const plan = fresh.plan(nowMs);
    if (isDistrusted) for (const { uid } of world.jobs) plan.placementOf(uid);
    scheduler = fresh;
    isDistrusted = false;
    return plan;
  }

  function withoutCulprits(error: unknown, nowMs: number): Plan {
    const keys = culpritsIn(kept.world(), nowMs).map(({ key }) => key);
    if (keys.length === 0) throw error;
    for (const key of keys) {
      leaveOut(key, nowMs);
      onTrouble({ what: "job", key, error });
    }
    return whole(nowMs);
  }

  return {
    make(nowMs) {
      const stepped = step(nowMs);
      if (stepped) return stepped;
      try {
        return whole(nowMs);
      } catch (error) {
        return withoutCulprits(error, nowMs);
      }
    },
    distrust() {
      scheduler = undefined;
      isDistrusted = true;
    },
  };
}
