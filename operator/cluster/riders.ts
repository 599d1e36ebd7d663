import { assess } from "../reconcile/assess.ts";
import { isOut } from "../reconcile/job-state.ts";
import type { Sighting } from "./sights.ts";

/**
 * Jobs that ride in a shared child beside its driver, by queue and by pool. The scheduler knows the driver alone,
 * because that one speaks for the GPU; people count jobs.
 */
export interface Riders {
  put(key: string, seen: Sighting): void;
  /** How many of this queue ride along. */
  in(queue: string): number;
  /** How many ride along on this pool's GPUs. */
  on(pool: string): number;
}

interface Ride {
  readonly queue: string;
  readonly pool: string;
}

export function createRiders(): Riders {
  const rides = new Map<string, Ride>();
  const [queues, pools] = [new Map<string, number>(), new Map<string, number>()];
  const add = ({ queue, pool }: Ride, count: number) => {
    queues.set(queue, (queues.get(queue) ?? 0) + count);
    pools.set(pool, (pools.get(pool) ?? 0) + count);
  };
  return {
    put(key, seen) {
      const before = rides.get(key);
      const after = rideOf(seen);
      if (before?.queue === after?.queue && before?.pool === after?.pool) return;
      if (before) add(before, -1);
      if (after) add(after, 1);
      if (after) rides.set(key, after);
      else rides.delete(key);
    },
    in: (queue) => queues.get(queue) ?? 0,
    on: (pool) => pools.get(pool) ?? 0,
  };
}

function rideOf({ sight }: Sighting): Ride | undefined {
  if (!sight?.children.some(({ shared }) => shared) || isOut(sight.job)) return undefined;
  const child = assess(sight).active?.child;
  if (sight.queue === undefined || child?.shared?.driver === undefined || child.shared.isDriver)
    return undefined;
  return { queue: sight.queue, pool: child.pool };
}
