import type { Plan } from "./plan.ts";
import { addUsage, usedInWindow, windowStartMs } from "./usage.ts";
import { NOW_MS } from "./testing.ts";
import type { JobState, PoolState, QueueState, World } from "./world.ts";

/**
 * Plays a cluster under the scheduler: pods that do shards, start and end late, on a clock that jumps from event
 * to event. It behaves as the Job controller does: a pod that is done with its shard takes the next one without
 * asking, and fewer GPUs end the newest pods, whose shards are done again.
 */
export interface SimulatedJob extends JobState {
  readonly arrivesAfterMs: number;
  /** GPU time of one shard. */
  readonly shardMs: number;
}

interface Pod {
  readonly startMs: number;
  endMs: number;
}

interface Running {
  readonly job: SimulatedJob;
  shardsToStart: number;
  pods: Pod[];
  pool: string | undefined;
  gpus: number;
  sinceMs: number;
  ending: { readonly pool: string; readonly untilMs: number }[];
  usedMs: number;
}

export interface Simulation {
  readonly nowMs: number;
  readonly world: World;
  readonly isDone: boolean;
  /** GPU time by queue so far, in seconds. */
  readonly gpuSeconds: ReadonlyMap<string, number>;
  readonly finishedAtMs: ReadonlyMap<string, number>;
  readonly startedAtMs: ReadonlyMap<string, number>;
  apply(plan: Plan): void;
  /** Jumps to the next event, at most to `untilMs`. False when nothing will ever happen. */
  advance(untilMs: number | undefined): boolean;
}

const GRACE_MS = 10_000;

export function createSimulation(start: World, jobs: readonly SimulatedJob[]): Simulation {
  let nowMs = NOW_MS;
  let queues = start.queues;
  let waiting = [...jobs].sort((a, b) => a.arrivesAfterMs - b.arrivesAfterMs);
  const running = new Map<string, Running>();
  const gpuSeconds = new Map<string, number>();
  const finishedAtMs = new Map<string, number>();
  const startedAtMs = new Map<string, number>();
  arrive();

  function arrive(): void {
    const come = waiting.filter(({ arrivesAfterMs }) => NOW_MS + arrivesAfterMs <= nowMs);
    waiting = waiting.slice(come.length);
    for (const job of come) {
      const empty = { pods: [], pool: undefined, gpus: 0, sinceMs: 0, ending: [], usedMs: 0 };
      running.set(job.uid, { job, shardsToStart: job.openShards, ...empty });
    }
  }

  function use(from: number): void {
    for (const one of running.values()) {
      const ms = one.pods.length * (nowMs - from);
      if (ms === 0) continue;
      one.usedMs += ms;
      const name = one.job.queue;
      gpuSeconds.set(name, (gpuSeconds.get(name) ?? 0) + ms / 1000);
      queues = queues.map((queue) => (queue.name === name ? charged(queue, one, ms / 1000) : queue));
    }
  }

  function charged(queue: QueueState, { pool }: Running, seconds: number): QueueState {
    const gpuClass = start.pools.find(({ name }) => name === pool)?.gpuClass ?? "";
    const before = queue.usage.find((one) => one.gpuClass === gpuClass);
    const clock = { nowMs, halfLifeSeconds: start.settings.usageHalfLifeSeconds };
    const usage = addUsage(before ?? { gpuClass, gpuSeconds: 0, atMs: nowMs }, seconds, clock);
    const budget = queue.budget && {
      ...queue.budget,
      usedGpuSeconds: usedInWindow(queue.budget, nowMs) + seconds,
      windowStartMs: windowStartMs(queue.budget, nowMs),
    };
    return {
      ...queue,
      usage: [...queue.usage.filter((one) => one !== before), usage],
      ...(budget && { budget }),
    };
  }

  function finishPods(): void {
    for (const one of running.values()) {
      one.ending = one.ending.filter(({ untilMs }) => untilMs > nowMs);
      for (const pod of one.pods.filter(({ endMs }) => endMs <= nowMs)) {
        one.pods = one.pods.filter((other) => other !== pod);
        startPods(one, one.pods.length + (one.shardsToStart > 0 ? 1 : 0));
      }
      if (one.pods.length > 0 || one.shardsToStart > 0) continue;
      running.delete(one.job.uid);
      finishedAtMs.set(one.job.uid, nowMs);
    }
  }

  function startPods(one: Running, gpus: number): void {
    while (one.pods.length < gpus && one.shardsToStart > 0) {
      one.shardsToStart--;
      one.pods.push({ startMs: nowMs, endMs: nowMs + one.job.shardMs });
    }
  }

  function assign(one: Running, pool: string | undefined, gpus: number): void {
    const kept = pool === one.pool ? Math.min(gpus, one.pods.length) : 0;
    for (const _ of one.pods.slice(kept)) {
      one.shardsToStart++;
      if (one.pool !== undefined) one.ending.push({ pool: one.pool, untilMs: nowMs + GRACE_MS });
    }
    one.pods = one.pods.slice(0, kept);
    if (pool !== one.pool || one.gpus === 0) one.sinceMs = nowMs;
    one.pool = gpus > 0 ? pool : undefined;
    one.gpus = gpus;
    startPods(one, gpus);
    if (gpus > 0 && !startedAtMs.has(one.job.uid)) startedAtMs.set(one.job.uid, nowMs);
  }

  function stateOf(one: Running): JobState {
    const { arrivesAfterMs, shardMs: _, ...job } = one.job;
    const openShards = one.shardsToStart + one.pods.length;
    const spent = one.pods.reduce((sum, { startMs }) => sum + (nowMs - startMs) / 1000, 0);
    const endingGpus: Record<string, number> = {};
    for (const { pool } of one.ending) endingGpus[pool] = (endingGpus[pool] ?? 0) + 1;
    return {
      ...job,
      createdAtMs: NOW_MS + arrivesAfterMs,
      openShards,
      openImages: (job.openImages * openShards) / job.openShards,
      usedGpuSeconds: one.usedMs / 1000,
      endingGpus,
      ...(one.pool !== undefined && {
        holding: {
          pool: one.pool,
          gpus: one.gpus,
          sinceMs: one.sinceMs,
          startedGpus: one.pods.length,
          shardGpuSeconds: spent,
          unsavedGpuSeconds: spent / 3,
        },
      }),
    };
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get world() {
      return { ...start, queues, jobs: [...running.values()].map(stateOf) };
    },
    get isDone() {
      return running.size === 0 && waiting.length === 0;
    },
    gpuSeconds,
    finishedAtMs,
    startedAtMs,
    apply(plan) {
      for (const one of running.values()) {
        const admitted = plan.admitted.get(one.job.uid);
        assign(one, admitted?.pool, admitted?.gpus ?? 0);
      }
    },
    advance(untilMs) {
      const moments = [...running.values()].flatMap((one) => [
        ...one.pods.map(({ endMs }) => endMs),
        ...one.ending.map((end) => end.untilMs),
      ]);
      const next = Math.min(
        untilMs ?? Infinity,
        ...moments,
        ...waiting.slice(0, 1).map((job) => NOW_MS + job.arrivesAfterMs),
      );
      if (!Number.isFinite(next)) return false;
      const before = nowMs;
      nowMs = next;
      use(before);
      finishPods();
      arrive();
      return true;
    },
  };
}

/** Live pods of a pool: at work or ending. */
export function livePods(world: World, pool: PoolState): number {
  return world.jobs.reduce((sum, { holding, endingGpus }) => {
    const atWork = holding?.pool === pool.name ? holding.startedGpus : 0;
    return sum + atWork + (endingGpus[pool.name] ?? 0);
  }, pool.strayGpus);
}
