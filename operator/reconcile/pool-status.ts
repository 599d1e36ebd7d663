import { POOL_REASONS } from "#crds/conditions.ts";
import { fromTimestamp, toWholeSeconds } from "#crds/timestamp.ts";
import type { GpuPool, GpuPoolStatus } from "#crds/gpupool.ts";
import type { PoolPlan } from "../schedule/plan.ts";
import { counted } from "../schedule/words.ts";
import { learn, type Measurement } from "./learn-speed.ts";

/** What is seen of a pool. */
export interface PoolSight {
  readonly pool: GpuPool;
  /** Undefined until the first plan. */
  readonly plan: PoolPlan | undefined;
  /** Ready nodes that take its pods, and their GPUs. */
  readonly nodes: number;
  readonly readyGpus: number;
  /** GPUs that jobs have, and those jobs. */
  readonly assigned: number;
  readonly jobs: number;
  /** Pods that run. */
  readonly running: number;
  readonly ended: readonly Measurement[];
}

export function nextPoolStatus(seen: PoolSight, now: Date): GpuPoolStatus {
  const { pool, plan } = seen;
  const { status, metadata } = pool;
  const stockOut = plan ? stockOutOf(plan) : status.stockOut;
  return {
    observedGeneration: metadata.generation,
    conditions: [available(pool, stockOut, now)],
    nodes: seen.nodes,
    ready: seen.readyGpus,
    assigned: seen.assigned,
    inUse: seen.running,
    jobs: seen.jobs,
    ...(stockOut && { stockOut }),
    ...learn(status, seen.ended),
  };
}

function stockOutOf({ stockOut, stockedOutUntilMs }: PoolPlan): GpuPoolStatus["stockOut"] {
  if (!stockOut) return undefined;
  return {
    lastAt: toWholeSeconds(stockOut.lastAtMs),
    strength: stockOut.strength,
    ...(stockedOutUntilMs !== undefined && { until: toWholeSeconds(stockedOutUntilMs) }),
  };
}

type Condition = NonNullable<GpuPoolStatus["conditions"]>[number];

function available(pool: GpuPool, stockOut: GpuPoolStatus["stockOut"], now: Date): Condition {
  const fact = factOf(pool, stockOut, now);
  const before = pool.status.conditions?.find(({ type }) => type === "Available");
  return {
    type: "Available",
    ...fact,
    observedGeneration: pool.metadata.generation,
    lastTransitionTime: before?.status === fact.status ? before.lastTransitionTime : now.toISOString(),
  };
}

function factOf(
  { spec }: GpuPool,
  stockOut: GpuPoolStatus["stockOut"],
  now: Date,
): Pick<Condition, "status" | "reason" | "message"> {
  if (spec.maxGpus === 0) return { status: "False", reason: POOL_REASONS.Closed, message: "maxGpus is 0." };
  const { until, lastAt } = stockOut ?? {};
  if (until !== undefined && fromTimestamp(until) > now.getTime()) {
    const message = `At ${lastAt} a pod had waited ${counted(spec.startTimeoutSeconds, "second")} for a node; the pool is tried again at ${until}.`;
    return { status: "False", reason: POOL_REASONS.StockedOut, message };
  }
  return { status: "True", reason: POOL_REASONS.AcceptingJobs, message: "" };
}
