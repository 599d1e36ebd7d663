/** Caches → the scheduler's world: pools with what is remembered of them, and queues with their accounts. */
import type { GpuPool } from "#crds/gpupool.ts";
import { speedsOf } from "../reconcile/learn-speed.ts";
import { type GpuSpan, queueStateOf } from "../reconcile/usage-account.ts";
import type { JobState, PoolState, ScheduleSettings, StockOutMemory, World } from "../schedule/world.ts";
import type { Caches } from "./caches.ts";
import type { Memory } from "./memory.ts";

export interface WorldParts {
  readonly caches: Caches;
  readonly memory: Memory;
  readonly settings: ScheduleSettings;
}

export function worldOf(
  { caches, memory, settings }: WorldParts,
  jobs: readonly JobState[],
  more: {
    strayGpus: Readonly<Record<string, number>>;
    stockOuts: ReadonlyMap<string, StockOutMemory>;
    nowMs: number;
  },
): World {
  const clock = { nowMs: more.nowMs, halfLifeSeconds: settings.usageHalfLifeSeconds };
  const byName = <T extends { name: string }>(states: T[]) =>
    states.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    pools: byName(
      caches.gpuPools.values().map((pool) => {
        const { name } = pool.metadata;
        const stockOut = newest(stockOutIn(pool), more.stockOuts.get(name));
        return poolStateOf(pool, more.strayGpus[name] ?? 0, stockOut);
      }),
    ),
    queues: byName(
      caches.opalQueues
        .values()
        .map((queue) => queueStateOf(queue, spansOf(queue.metadata.name, caches, memory), clock)),
    ),
    jobs,
    settings,
  };
}

/** Turns of the queue's pods on GPUs, by class. A pool that is gone counts under its name. */
export function spansOf(queue: string, caches: Caches, memory: Memory): GpuSpan[] {
  return memory.ledger.of(queue).map(({ pool, ...turn }) => ({
    ...turn,
    gpuClass: caches.gpuPools.get(pool)?.spec.gpuClass ?? pool,
  }));
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
