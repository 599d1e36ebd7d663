import { isFinished } from "#crds/conditions.ts";
import type { GpuPool } from "#crds/gpupool.ts";
import type { OpalJobSpec } from "#crds/opaljob.ts";
import type { BlockedOn } from "../schedule/plan.ts";
import type { JobPlacement, JobSight } from "./observed.ts";

/**
 * Where a job goes when Kueue admits instead of the built-in scheduler: the cheapest pool that fits, with as many
 * pods as the job may have. When its child may run is Kueue's decision, and so are quotas and fairness.
 */
export function kueuePlacement(
  { job, deletedAtMs, queue }: JobSight,
  pools: readonly GpuPool[],
): JobPlacement | undefined {
  const { spec, status } = job;
  if (deletedAtMs !== undefined || spec.suspend || isFinished(status.conditions ?? [])) return undefined;
  if (queue === undefined) {
    return blocked("queue", "There is no OpalQueue for it", `an OpalQueue ${spec.tenant} or default exists`);
  }
  const [cheapest] = pools.filter((pool) => fits(spec, pool)).sort(byPrice);
  if (!cheapest) {
    return blocked("pool", "No pool has what it asks for", "a GpuPool of such a class and memory exists");
  }
  return { kind: "admitted", pool: cheapest.metadata.name, gpus: spec.gpu?.maxGpus ?? 1 };
}

function fits({ gpu }: OpalJobSpec, { spec }: GpuPool): boolean {
  const { classes = [], minVramGiB = 0 } = gpu ?? {};
  const isAcceptable = classes.length === 0 || classes.includes(spec.gpuClass);
  return isAcceptable && spec.maxGpus > 0 && spec.vramGiB >= minVramGiB;
}

function blocked(blockedOn: BlockedOn, what: string, unblockedBy: string): JobPlacement {
  const because = `${what}; it starts when ${unblockedBy}.`;
  return { kind: "waiting", position: undefined, eta: undefined, blockedOn, because, unblockedBy };
}

function byPrice(a: GpuPool, b: GpuPool): number {
  return a.spec.pricePerGpuHour - b.spec.pricePerGpuHour || (a.metadata.name < b.metadata.name ? -1 : 1);
}
