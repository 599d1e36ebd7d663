import type { RunnerPod } from "./runner-pod.ts";

/** A pod's turn on a GPU, as far as the accounts need it. */
export interface Turn {
  readonly queue: string;
  readonly pool: string;
  readonly startMs: number;
  /** Undefined while it goes on. */
  readonly endMs: number | undefined;
}

/**
 * Which queue had a GPU of which pool from when to when. All of it can be read from the pods again; a turn is
 * forgotten once its queue's account has passed it.
 */
export interface Ledger {
  /** @param goneAtMs the pod's object is gone since; undefined while it is there */
  note(pod: RunnerPod, goneAtMs: number | undefined): void;
  of(queue: string): readonly Turn[];
  /** The queue's account holds everything up to then. */
  settle(queue: string, untilMs: number): void;
}

export function createLedger(): Ledger {
  const turns = new Map<string, Map<string, Turn>>();
  const settledMs = new Map<string, number>();
  return {
    note({ uid, queue, pool, startedAtMs, finishedAtMs }, goneAtMs) {
      if (startedAtMs === undefined) return;
      const endMs = finishedAtMs ?? goneAtMs;
      if (endMs !== undefined && endMs <= (settledMs.get(queue) ?? 0)) {
        turns.get(queue)?.delete(uid);
        return;
      }
      const known = turns.get(queue) ?? new Map<string, Turn>();
      known.set(uid, { queue, pool, startMs: startedAtMs, endMs });
      turns.set(queue, known);
    },
    of: (queue) => [...(turns.get(queue)?.values() ?? [])],
    settle(queue, untilMs) {
      settledMs.set(queue, untilMs);
      const known = turns.get(queue);
      for (const [uid, { endMs }] of known ?? []) {
        if (endMs !== undefined && endMs <= untilMs) known?.delete(uid);
      }
    },
  };
}
