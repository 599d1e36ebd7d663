/** Caches → the scheduler's world: pools with what is remembered of them, and queues with their accounts. */
import type { GpuPool } from "#crds/gpupool.ts";
import type { OpalQueue } from "#crds/opalqueue.ts";
import { fromTimestamp } from "#crds/timestamp.ts";
import { speedsOf } from "../reconcile/learn-speed.ts";
import { type GpuSpan, hasNews, queueStateOf } from "../reconcile/usage-account.ts";
import type { PoolState, QueueState, ScheduleSettings, StockOutMemory } from "../schedule/world.ts";
import type { Caches } from "./caches.ts";
import type { Memory } from "./memory.ts";

export interface WorldParts {
  readonly caches: Caches;
  readonly memory: Memory;
  readonly settings: ScheduleSettings;
}

/** @param more what the planner knows beside the caches, by pool */
export function poolStates(
  { caches }: WorldParts,
  more: {
    strayGpus: Readonly<Record<string, number>>;
    stockOuts: ReadonlyMap<string, StockOutMemory>;
  },
): PoolState[] {
  return caches.gpuPools.values().map((pool) => {
    const { name } = pool.metadata;
    const stockOut = newest(stockOutIn(pool), more.stockOuts.get(name));
    return poolStateOf(pool, more.strayGpus[name] ?? 0, stockOut);
  });
}

/** Turns of the queue's pods on GPUs, by class. A pool that is gone counts under its name. */
export function spansOf(queue: string, caches: Caches, memory: Memory): GpuSpan[] {
  return memory.ledger.of(queue).map(({ pool, ...turn }) => ({
    ...turn,
    gpuClass: caches.gpuPools.get(pool)?.spec.gpuClass ?? pool,
  }));
}

/**
 * Queues as the scheduler sees them. The account of one whose pods all stand in its status already is told as of
 * that status: the scheduler lets it fade, so it stays the same value until something happens in the queue.
 */
export function createQueueStates({ caches, memory, settings }: WorldParts): (nowMs: number) => QueueState[] {
  const quiet = new Map<string, { readonly queue: OpalQueue; readonly state: QueueState }>();

  function stateOf(queue: OpalQueue, nowMs: number): QueueState {
    const { name } = queue.metadata;
    const spans = spansOf(name, caches, memory);
    const accountAtMs = fromTimestamp(queue.status.usage?.at ?? queue.metadata.creationTimestamp);
    const clock = { nowMs, halfLifeSeconds: settings.usageHalfLifeSeconds };
    if (hasNews(queue, spans) || accountAtMs > nowMs) {
      quiet.delete(name);
      return queueStateOf(queue, spans, clock);
    }
    const known = quiet.get(name);
    if (known?.queue === queue) return known.state;
    const state = queueStateOf(queue, [], { ...clock, nowMs: accountAtMs });
    quiet.set(name, { queue, state });
    return state;
  }

  return (nowMs) => {
    const queues = caches.opalQueues.values();
    for (const name of quiet.keys()) if (!caches.opalQueues.get(name)) quiet.delete(name);
    return queues.map((queue) => stateOf(queue, nowMs));
  };
}

function poolStateOf(
  { metadata, spec, status }: GpuPool,
  strayGpus: number,
  stockOut: StockOutMemory | undefined,
): PoolState {
  return {
    name: metadata.name,
    gpuClass: spec.gpuClass,
    vramGiB: spec.vramGiB,
    maxGpus: spec.maxGpus,
    spot: spec.spot,
    pricePerGpuHour: spec.pricePerGpuHour,
    startTimeoutSeconds: spec.startTimeoutSeconds,
    stockOutCooldownSeconds: spec.stockOutCooldownSeconds,
    ...(stockOut && { stockOut }),
    strayGpus,
    secondsPerImage: speedsOf(status),
  };
}

function stockOutIn({ status }: GpuPool): StockOutMemory | undefined {
  const { stockOut } = status;
  return stockOut && { lastAtMs: Date.parse(stockOut.lastAt), strength: stockOut.strength };
}

function newest(
  written: StockOutMemory | undefined,
  planned: StockOutMemory | undefined,
): StockOutMemory | undefined {
  if (!written || !planned) return written ?? planned;
  return planned.lastAtMs > written.lastAtMs ? planned : written;
}
