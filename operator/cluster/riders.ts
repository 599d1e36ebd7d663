import { assess } from "../reconcile/assess.ts";
import { isOut } from "../reconcile/job-state.ts";
import type { Sighting } from "./sights.ts";

/**
 * Jobs that ride in a shared child beside its driver, by queue. The scheduler knows the driver alone, because that
 * one speaks for the GPU; people count jobs.
 */
export interface Riders {
  put(key: string, seen: Sighting): void;
  /** How many ride in children of this queue. */
  in(queue: string): number;
}

export function createRiders(): Riders {
  const queues = new Map<string, string>();
  const counts = new Map<string, number>();
  const add = (queue: string, count: number) => counts.set(queue, (counts.get(queue) ?? 0) + count);
  return {
    put(key, seen) {
      const before = queues.get(key);
      const after = queueRiddenIn(seen);
      if (before === after) return;
      if (before !== undefined) add(before, -1);
      if (after === undefined) queues.delete(key);
      else {
        queues.set(key, after);
        add(after, 1);
      }
    },
    in: (queue) => counts.get(queue) ?? 0,
  };
}

function queueRiddenIn({ sight }: Sighting): string | undefined {
  if (!sight?.children.some(({ shared }) => shared) || isOut(sight.job)) return undefined;
  const shared = assess(sight).active?.child.shared;
  return shared?.driver !== undefined && !shared.isDriver ? sight.queue : undefined;
}
