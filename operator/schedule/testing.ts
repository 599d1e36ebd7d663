import type { Plan } from "./plan.ts";
import {
  DEFAULT_SETTINGS,
  type Holding,
  type JobState,
  type PoolState,
  type QueueState,
  type World,
} from "./world.ts";

/** Builders of worlds for tests, benches and replays. */
export const NOW_MS = Date.UTC(2026, 10, 24, 12);

export function aPool(name: string, changes: Partial<PoolState> = {}): PoolState {
  return {
    name,
    gpuClass: "t4",
    vramGiB: 16,
    maxGpus: 8,
    spot: false,
    pricePerGpuHour: 1,
    startTimeoutSeconds: 120,
    stockOutCooldownSeconds: 600,
    strayGpus: 0,
    secondsPerImage: {},
    ...changes,
  };
}

export function aQueue(name: string, changes: Partial<QueueState> = {}): QueueState {
  return { name, weight: 1, quotas: [], usage: [], ...changes };
}

export function aJob(uid: string, changes: Partial<JobState> = {}): JobState {
  return {
    uid,
    key: `shop/${uid}`,
    tenant: "shop",
    queue: "default",
    priority: 0,
    createdAtMs: NOW_MS - 3_600_000,
    classes: [],
    minVramGiB: 0,
    minGpus: 1,
    maxGpus: 1,
    workload: "studio",
    openImages: 10,
    openShards: 10,
    usedGpuSeconds: 0,
    endingGpus: {},
    ...changes,
  };
}

/** A job that has run on so many GPUs for `minutes`. */
export function aRunningJob(
  uid: string,
  on: { pool: string; gpus: number; minutes?: number; unsavedGpuSeconds?: number; startedGpus?: number },
  changes: Partial<JobState> = {},
): JobState {
  const { pool, gpus, minutes = 30, unsavedGpuSeconds = 0, startedGpus = gpus } = on;
  const sinceMs = NOW_MS - minutes * 60_000;
  const holding = { pool, gpus, sinceMs, startedGpus, shardGpuSeconds: 0, unsavedGpuSeconds };
  return aJob(uid, { maxGpus: gpus, holding, ...changes });
}

export function aWorld(world: Partial<World>): World {
  return {
    pools: [aPool("t4")],
    queues: [aQueue("default")],
    jobs: [],
    settings: DEFAULT_SETTINGS,
    ...world,
  };
}

/** The plan of every job in short: `t4×2`, `← Priority` when it gives GPUs back, or what blocks it. */
export function shortPlan(world: World, plan: Plan): Record<string, string> {
  return Object.fromEntries(
    world.jobs.map(({ uid }) => {
      const placement = plan.placementOf(uid);
      const lost = plan.preempted.get(uid)?.reason;
      if (placement?.kind === "admitted") {
        const change = placement.change ? ` ← ${placement.change.reason}` : "";
        return [uid, `${placement.pool}×${placement.gpus}${change}`];
      }
      const place = placement?.position === undefined ? "-" : `${placement.position}`;
      return [uid, `${place} ${placement?.blockedOn ?? "?"}${lost ? ` ← ${lost}` : ""}`];
    }),
  );
}

/** The world after the plan was carried out at once: pods of GPUs that were taken away are ending. */
export function carriedOut(world: World, plan: Plan): World {
  return {
    ...world,
    pools: world.pools.map((pool) => withStockOut(pool, plan)),
    jobs: world.jobs.map((job) => assigned(job, plan)),
  };
}

function withStockOut(pool: PoolState, plan: Plan): PoolState {
  return { ...pool, stockOut: plan.pools.get(pool.name)?.stockOut };
}

function assigned(job: JobState, plan: Plan): JobState {
  const { holding, ...rest } = job;
  const admitted = plan.admitted.get(job.uid);
  const kept = holding && admitted?.pool === holding.pool ? Math.min(admitted.gpus, holding.gpus) : 0;
  const endingGpus = { ...job.endingGpus };
  if (holding && kept < holding.gpus) {
    endingGpus[holding.pool] = (endingGpus[holding.pool] ?? 0) + holding.gpus - kept;
  }
  if (!admitted) return { ...rest, endingGpus };
  const { pool, gpus } = admitted;
  if (!holding || kept === 0) {
    const fresh = { sinceMs: plan.nowMs, startedGpus: 0, shardGpuSeconds: 0, unsavedGpuSeconds: 0 };
    return { ...rest, endingGpus, holding: { pool, gpus, ...fresh } };
  }
  return { ...rest, endingGpus, holding: withFewerPods({ ...holding, gpus }) };
}

function withFewerPods(holding: Holding): Holding {
  const startedGpus = Math.min(holding.startedGpus, holding.gpus);
  const left = startedGpus / Math.max(1, holding.startedGpus);
  const shardGpuSeconds = holding.shardGpuSeconds * left;
  return { ...holding, startedGpus, shardGpuSeconds, unsavedGpuSeconds: holding.unsavedGpuSeconds * left };
}
