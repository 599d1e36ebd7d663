import type { Placement, Plan } from "../../operator/schedule/plan.ts";
import { schedule } from "../../operator/schedule/scheduler.ts";
import { counted } from "../../operator/schedule/words.ts";
import type { World } from "../../operator/schedule/world.ts";

/** What would be otherwise in the world: exactly one thing. */
export interface Otherwise {
  readonly queue?: string | undefined;
  readonly pool?: string | undefined;
  /** Of the queue's quotas; needed when it has several. */
  readonly gpuClass?: string | undefined;
  /** More, or fewer when negative. */
  readonly gpus?: number | undefined;
  readonly withoutPool?: string | undefined;
}

/** The changed world, or what is wrong with the wish. */
export function changedWorld(world: World, wish: Otherwise): World | string {
  const asked = [wish.queue, wish.pool, wish.withoutPool].filter((one) => one !== undefined);
  if (asked.length !== 1) return "name one queue, one pool or one pool to go without";
  if (wish.withoutPool !== undefined) return withoutPool(world, wish.withoutPool);
  if (wish.gpus === undefined || !Number.isInteger(wish.gpus))
    return "--gpus wants a whole number, like +2 or -1";
  return wish.pool === undefined
    ? withQuota(world, wish.queue ?? "", { gpus: wish.gpus, gpuClass: wish.gpuClass })
    : withPool(world, wish.pool, wish.gpus);
}

function withoutPool(world: World, name: string): World | string {
  if (!world.pools.some((pool) => pool.name === name)) return `there is no pool ${name}`;
  return { ...world, pools: world.pools.filter((pool) => pool.name !== name) };
}

function withPool(world: World, name: string, gpus: number): World | string {
  if (!world.pools.some((pool) => pool.name === name)) return `there is no pool ${name}`;
  const pools = world.pools.map((pool) =>
    pool.name === name ? { ...pool, maxGpus: Math.max(0, pool.maxGpus + gpus) } : pool,
  );
  return { ...world, pools };
}

function withQuota(
  world: World,
  name: string,
  more: { gpus: number; gpuClass: string | undefined },
): World | string {
  const queue = world.queues.find((one) => one.name === name);
  if (!queue) return `there is no queue ${name}`;
  if (queue.quotas.length === 0) return `queue ${name} has no quota: only the pools limit it`;
  const gpuClass = more.gpuClass ?? (queue.quotas.length === 1 ? queue.quotas[0]?.gpuClass : undefined);
  if (!queue.quotas.some((quota) => quota.gpuClass === gpuClass)) {
    return `--class wants one of ${queue.quotas.map((quota) => quota.gpuClass).join(", ")}`;
  }
  const quotas = queue.quotas.map((quota) =>
    quota.gpuClass === gpuClass ? { ...quota, nominal: Math.max(0, quota.nominal + more.gpus) } : quota,
  );
  return { ...world, queues: world.queues.map((one) => (one === queue ? { ...queue, quotas } : one)) };
}

export interface Changes {
  readonly jobs: readonly { job: string; before: string; after: string; startsSooner: string }[];
  readonly queues: readonly { queue: string; before: string; after: string }[];
}

/** Whose part of the plan differs; to start a minute sooner or later in the same place is no difference. */
export function compareWorlds(now: World, otherwise: World, nowMs: number): Changes {
  const plan = schedule(now, nowMs);
  const other = schedule(otherwise, nowMs);
  const jobs = now.jobs
    .map(({ uid, key }) => ({ key, is: plan.placementOf(uid), would: other.placementOf(uid) }))
    .map(({ key, is, would }) => ({
      job: key,
      before: shortOf(is),
      after: shortOf(would),
      startsSooner: sooner(is, would),
    }))
    .filter(({ before, after, startsSooner }) => before !== after || startsSooner !== "");
  const queues = now.queues
    .map(({ name }) => ({ queue: name, before: usageOf(plan, name), after: usageOf(other, name) }))
    .filter(({ before, after }) => before !== after);
  return { jobs, queues };
}

function shortOf(placement: Placement | undefined): string {
  if (!placement) return "-";
  if (placement.kind === "admitted") return `${counted(placement.gpus, "GPU")} of ${placement.pool}`;
  return `waits for ${placement.blockedOn}`;
}

const MINUTE_MS = 60_000;

/** By how many minutes it would start sooner or later, where both are known. */
function sooner(is: Placement | undefined, would: Placement | undefined): string {
  const [from, to] = [is, would].map((one) => (one?.kind === "waiting" ? one.eta?.startP50Ms : undefined));
  if (from === undefined || to === undefined || Math.abs(from - to) < MINUTE_MS) return "";
  const minutes = Math.round(Math.abs(from - to) / MINUTE_MS);
  return `${minutes} min ${to < from ? "sooner" : "later"}`;
}

function usageOf(plan: Plan, name: string): string {
  const queue = plan.queues.get(name);
  if (!queue) return "-";
  const inUse = Object.entries(queue.inUse).map(([gpuClass, gpus]) => `${gpus} ${gpuClass}`);
  return `${inUse.join(" + ") || "no GPU"}, ${queue.pending} waiting`;
}
