import type { GpuPool } from "#crds/gpupool.ts";
import { counted } from "./words.ts";

/**
 * Who gets which GPUs: a pure function of one snapshot, so a restarted operator plans the same. One pool, first
 * come first served: jobs keep what they hold, and what is free goes to the oldest job that can use it, up to
 * its `maxGpus`. A job that does not fit yet holds back all younger ones, so a large job is never starved by
 * small ones.
 */
export interface Demand {
  /** Names the job; unique. */
  readonly key: string;
  readonly createdAtMs: number;
  /** Acceptable GPU classes; empty means any. */
  readonly classes: readonly string[];
  readonly minVramGiB: number;
  readonly minGpus: number;
  readonly maxGpus: number;
  /** Shards that are not finished: more GPUs than that are of no use. */
  readonly openShards: number;
  /** GPUs assigned to it now. */
  readonly held: number;
  /** Pods that exist now; more than `held` while some are still ending. */
  readonly livePods: number;
}

export interface World {
  readonly pool: GpuPool;
  readonly demands: readonly Demand[];
  /** Live pods of jobs that are not in `demands`: suspended, finished or deleted ones that still end. */
  readonly strayPods: number;
}

export const BLOCKED_ON = ["gpus", "order", "pool"] as const;
export type BlockedOn = (typeof BLOCKED_ON)[number];

export interface Admitted {
  readonly kind: "admitted";
  readonly pool: string;
  readonly gpus: number;
}

export interface Waiting {
  readonly kind: "waiting";
  /** Place in the queue, from 1; absent for a job that no pool can ever take. */
  readonly position?: number;
  readonly blockedOn: BlockedOn;
  /** One sentence: what blocks the job and what would unblock it. */
  readonly because: string;
}

export type Placement = Admitted | Waiting;
export type Plan = ReadonlyMap<string, Placement>;

export function schedule(world: World): Plan {
  const plan = new Map<string, Placement>();
  const queue: Demand[] = [];
  for (const demand of [...world.demands].sort(byAge)) {
    const misfit = demand.held > 0 ? undefined : misfitOf(demand, world.pool);
    if (misfit !== undefined) plan.set(demand.key, { kind: "waiting", blockedOn: "pool", because: misfit });
    else queue.push(demand);
  }
  let free = world.pool.spec.maxGpus - world.strayPods - sum(queue.map(occupied));
  let head: Demand | undefined;
  let position = 0;
  for (const demand of queue) {
    const more = head ? 0 : Math.min(Math.max(0, free), wanted(demand) - kept(demand));
    if (kept(demand) > 0 || more >= needed(demand)) {
      free -= Math.max(0, kept(demand) + more - occupied(demand));
      plan.set(demand.key, { kind: "admitted", pool: world.pool.name, gpus: kept(demand) + more });
    } else {
      position++;
      plan.set(demand.key, waiting(demand, { position, free, head, pool: world.pool }));
      head ??= demand;
    }
  }
  return plan;
}

function byAge(a: Demand, b: Demand): number {
  return a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1);
}

/** A job never gives up GPUs that it can use. */
function kept(demand: Demand): number {
  return Math.min(demand.held, demand.openShards);
}

function occupied(demand: Demand): number {
  return Math.max(kept(demand), demand.livePods);
}

function wanted(demand: Demand): number {
  return Math.max(kept(demand), Math.min(demand.maxGpus, demand.openShards));
}

function needed(demand: Demand): number {
  return Math.max(1, Math.min(demand.minGpus, demand.openShards));
}

function misfitOf(demand: Demand, { name, spec }: GpuPool): string | undefined {
  if (demand.classes.length > 0 && !demand.classes.includes(spec.gpuClass)) {
    return `Asks for GPU class ${demand.classes.join(" or ")}; the only pool, ${name}, has ${spec.gpuClass}.`;
  }
  if (demand.minVramGiB > spec.vramGiB) {
    return `Asks for ${demand.minVramGiB} GiB of GPU memory; pool ${name} has ${spec.vramGiB} GiB a GPU.`;
  }
  if (needed(demand) > spec.maxGpus) {
    return `Starts with ${counted(needed(demand), "GPU")} at least; pool ${name} has ${spec.maxGpus}.`;
  }
  return undefined;
}

function waiting(
  demand: Demand,
  seen: { position: number; free: number; head: Demand | undefined; pool: GpuPool },
): Waiting {
  const { position, head, pool } = seen;
  const free = Math.max(0, seen.free);
  if (head) {
    const ahead = `${counted(position - 1, "job")} ${position === 2 ? "stands" : "stand"}`;
    const because = `${ahead} before it; the first waits for ${counted(needed(head), "GPU")} of pool ${pool.name}.`;
    return { kind: "waiting", position, blockedOn: "order", because };
  }
  const are = needed(demand) === 1 ? "is" : "are";
  const because = `Starts when ${counted(needed(demand), "GPU")} of pool ${pool.name} ${are} free; ${free} of ${pool.spec.maxGpus} ${free === 1 ? "is" : "are"}.`;
  return { kind: "waiting", position, blockedOn: "gpus", because };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
