/**
 * Writes the statuses of pools and queues: what people see with kubectl, and what the next operator goes on from.
 * A round looks at all of them and writes those that have changed.
 */
import type { GpuPool } from "#crds/gpupool.ts";
import { nextPoolStatus } from "../reconcile/pool-status.ts";
import { nextQueueStatus } from "../reconcile/queue-status.ts";
import { isSame } from "../reconcile/status-write.ts";
import { StaleError } from "../runtime/errors.ts";
import type { Plan } from "../schedule/plan.ts";
import type { ScheduleSettings } from "../schedule/world.ts";
import type { Caches } from "./caches.ts";
import { measured } from "./measurements.ts";
import type { Memory } from "./memory.ts";
import { nodesOf } from "./pool-nodes.ts";
import type { ClusterPort } from "./port.ts";
import type { Riders } from "./riders.ts";
import { spansOf } from "./world-view.ts";

export interface StatusWriterDeps {
  readonly caches: Caches;
  readonly memory: Memory;
  readonly port: ClusterPort;
  readonly settings: ScheduleSettings;
  readonly plan: () => Plan | undefined;
  readonly riders: Pick<Riders, "in" | "on">;
  readonly now: () => Date;
}

/** One round. A status that was read too late is left to the next one. */
export async function writeStatuses(deps: StatusWriterDeps): Promise<void> {
  for (const pool of deps.caches.gpuPools.values()) await leavingStale(() => writePool(pool, deps));
  for (const queue of deps.caches.opalQueues.values()) {
    await leavingStale(() => writeQueue(queue.metadata.name, deps));
  }
}

async function leavingStale(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof StaleError)) throw error;
  }
}

async function writePool(pool: GpuPool, deps: StatusWriterDeps): Promise<void> {
  const { caches, port } = deps;
  const { name } = pool.metadata;
  const pods = caches.pods.by("pool", name);
  const nodes = nodesOf(pool, caches.nodes.values());
  const after = nextPoolStatus(
    {
      pool,
      plan: deps.plan()?.pools.get(name),
      nodes: nodes.length,
      readyGpus: sum(nodes.map((node) => node.offers[pool.spec.resourceName] ?? 0)),
      ...holdings(name, deps),
      running: pods.filter((pod) => pod.phase === "Running").length,
      ended: pods.flatMap((pod) => measured(pod, caches)),
    },
    deps.now(),
  );
  if (!isSame(pool.status, after)) await port.writePoolStatus(pool, after);
}

/** Both numbers from one source: a plan is ahead of the children for a moment. */
function holdings(
  name: string,
  { caches, riders, plan: newest }: StatusWriterDeps,
): { assigned: number; jobs: number } {
  const plan = newest();
  const inPlan = plan?.pools.get(name);
  if (plan && inPlan) {
    const jobs = [...plan.admitted.values()].filter(({ pool }) => pool === name).length;
    return { assigned: inPlan.inUse, jobs: jobs + riders.on(name) };
  }
  const holding = caches.childJobs
    .values()
    .filter((child) => child.pool === name && !child.isEnded && child.parallelism > 0 && !child.isSuspended);
  return {
    assigned: sum(holding.map(({ parallelism }) => parallelism)),
    jobs: new Set(holding.map(({ opalJob }) => opalJob)).size,
  };
}

async function writeQueue(name: string, deps: StatusWriterDeps): Promise<void> {
  const { caches, memory, port, settings } = deps;
  const queue = caches.opalQueues.get(name);
  if (!queue) return;
  const inPlan = deps.plan()?.queues.get(name);
  const plan = inPlan && { ...inPlan, admitted: inPlan.admitted + deps.riders.in(name) };
  const after = nextQueueStatus(
    { queue, plan, spans: spansOf(name, caches, memory) },
    { now: deps.now(), halfLifeSeconds: settings.usageHalfLifeSeconds },
  );
  if (!isSame(queue.status, after)) await port.writeQueueStatus(queue, after);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
