import { isSame } from "../reconcile/status-write.ts";
import type { WorldChange } from "../schedule/scheduler.ts";
import type { JobState, PoolState, QueueState, StockOutMemory, World } from "../schedule/world.ts";
import { createQueueStates, poolStates, type WorldParts } from "./world-view.ts";

/**
 * The world as the scheduler was last told of it, and what has changed since: a plan costs as much as the change
 * and not as much as the world, which is put together only for who asks for all of it.
 */
export interface KeptWorld {
  /**
   * The job as it is now; undefined for one that asks for nothing.
   * @param liveGpus GPUs by pool that live pods take, counted as strays when the job asks for nothing
   */
  putJob(key: string, state: JobState | undefined, liveGpus: Readonly<Record<string, number>>): void;
  /** Looks at pools and queues as they are now. */
  lookAround(stockOuts: ReadonlyMap<string, StockOutMemory>, nowMs: number): void;
  /** What the scheduler does not know yet; `told` ends it. */
  change(): KeptChange;
  /** The scheduler knows everything up to now. */
  told(): void;
  world(): World;
  /** Keys of all jobs, by uid. */
  readonly keys: ReadonlyMap<string, string>;
}

export type KeptChange = Required<WorldChange>;

export function createKeptWorld(parts: WorldParts): KeptWorld {
  const jobs = new Map<string, JobState>();
  const keys = new Map<string, string>();
  const strays = new Map<string, Readonly<Record<string, number>>>();
  const queueStates = createQueueStates(parts);
  let queues = new Map<string, QueueState>();
  let pools: readonly PoolState[] = [];
  const changedJobs = new Map<string, JobState>();
  const goneJobs = new Set<string>();
  const changedQueues = new Map<string, QueueState>();
  const goneQueues = new Set<string>();

  function dropJob(key: string, uid: string): void {
    jobs.delete(key);
    keys.delete(uid);
    changedJobs.delete(uid);
    goneJobs.add(uid);
  }

  function strayGpus(): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const live of strays.values()) {
      for (const [pool, gpus] of Object.entries(live)) sum[pool] = (sum[pool] ?? 0) + gpus;
    }
    return sum;
  }

  return {
    putJob(key, state, liveGpus) {
      const before = jobs.get(key);
      if (before && before.uid !== state?.uid) dropJob(key, before.uid);
      if (state && !isSame(before, state)) {
        jobs.set(key, state);
        keys.set(state.uid, key);
        changedJobs.set(state.uid, state);
      }
      if (state || Object.keys(liveGpus).length === 0) strays.delete(key);
      else strays.set(key, liveGpus);
    },
    lookAround(stockOuts, nowMs) {
      pools = poolStates(parts, { strayGpus: strayGpus(), stockOuts });
      const before = queues;
      queues = new Map(queueStates(nowMs).map((state) => [state.name, state]));
      for (const [name, state] of queues) {
        if (before.get(name) === state) continue;
        changedQueues.set(name, state);
        goneQueues.delete(name);
      }
      for (const name of before.keys()) {
        if (queues.has(name)) continue;
        changedQueues.delete(name);
        goneQueues.add(name);
      }
    },
    change: () => ({
      jobs: [...changedJobs.values()],
      goneJobs: [...goneJobs],
      queues: [...changedQueues.values()],
      goneQueues: [...goneQueues],
      pools,
    }),
    told() {
      for (const news of [changedJobs, goneJobs, changedQueues, goneQueues]) news.clear();
    },
    world: () => ({
      pools,
      queues: [...queues.values()],
      jobs: [...jobs.values()],
      settings: parts.settings,
    }),
    keys,
  };
}
