import type { Board, QueueRow } from "./board.ts";
import { P90_DEVIATIONS, varianceMs2, workMs } from "./ladder.ts";
import { compareText } from "./order.ts";
import type { Entry, QueueEntry } from "./roster.ts";

/**
 * The work that waits, by lane (the set of pools that can do it) and queue, in GPU-milliseconds; and the order
 * in which fair shares take it up: each queue is served in proportion to its weight until its work is done, so
 * in a lane the queue with the least work by weight is done first.
 */
export interface LaneBacklog {
  readonly workMs: number;
  readonly varianceMs2: number;
  /** GPUs that its jobs can use at most. */
  readonly gpus: number;
  /** When so much of the work of a queue of this weight has been taken up. */
  after(weight: number, queueWorkMs: number): LaneMoment;
}

interface LaneMoment {
  /** Work of the whole lane that has been taken up by then. */
  readonly workMs: number;
  /** The part of the lane's GPUs, 0 to 1, that the queue has then. */
  readonly part: number;
}

/** What nine of ten sums stay below, given that they vary independently. */
export function upperWork(workMs: number, varianceMs2: number): number {
  return workMs + P90_DEVIATIONS * Math.sqrt(varianceMs2);
}

interface Sum {
  workMs: number;
  varianceMs2: number;
  gpus: number;
}

/**
 * What waits in one queue, by lane, and what stands before each job; kept as long as neither its jobs nor who of
 * them has GPUs change. The jobs know their `position`.
 */
export interface QueueBacklog {
  readonly version: number;
  readonly active: readonly Entry[];
  readonly lanes: ReadonlyMap<string, Sum>;
  /** GPU-milliseconds that stand before the job of position n + 1: in its lane, and in any lane. */
  readonly beforeMs: readonly number[];
  readonly allBeforeMs: readonly number[];
}

/** One queue's part of a lane. */
interface Part {
  readonly row: QueueRow;
  readonly workMs: number;
  /** How often every queue must get its weight until the work is done. */
  readonly rounds: number;
}

/** By lane, lanes in order of their names. */
export function measureBacklog(board: Board): ReadonlyMap<string, LaneBacklog> {
  const active = Map.groupBy(board.active, ({ queue }) => queue);
  const sums = new Map<string, Sum & { parts: Part[] }>();
  for (const row of board.queues) {
    const { lanes } = backlogOf(row.entry, active.get(row.entry) ?? []);
    for (const [lane, { workMs, varianceMs2, gpus }] of lanes) {
      let sum = sums.get(lane);
      if (!sum) sums.set(lane, (sum = { workMs: 0, varianceMs2: 0, gpus: 0, parts: [] }));
      sum.workMs += workMs;
      sum.varianceMs2 += varianceMs2;
      sum.gpus += gpus;
      sum.parts.push({ row, workMs, rounds: workMs / row.entry.state.weight });
    }
  }
  const byName = [...sums].sort(([a], [b]) => compareText(a, b));
  return new Map(byName.map(([lane, sum]) => [lane, laneOf(sum)]));
}

function backlogOf(queue: QueueEntry, active: readonly Entry[]): QueueBacklog {
  const { backlog, version } = queue;
  const isSame =
    backlog?.version === version &&
    backlog.active.length === active.length &&
    backlog.active.every((entry, n) => entry === active[n]);
  if (isSame) return backlog;
  return (queue.backlog = { version, active, ...sumUp(queue) });
}

function sumUp(queue: QueueEntry): Omit<QueueBacklog, "version" | "active"> {
  const lanes = new Map<string, Sum>();
  const beforeMs: number[] = [];
  const allBeforeMs: number[] = [];
  let allMs = 0;
  for (const entry of queue.jobs) {
    entry.position = 0;
    const { job, shape } = entry;
    const [first] = shape.ladder;
    if (entry.gpus > 0 || !queue.exists || !first) continue;
    let sum = lanes.get(shape.lane);
    if (!sum) lanes.set(shape.lane, (sum = { workMs: 0, varianceMs2: 0, gpus: 0 }));
    entry.position = beforeMs.push(sum.workMs);
    allBeforeMs.push(allMs);
    const jobMs = workMs(job.openImages, first);
    allMs += jobMs;
    sum.workMs += jobMs;
    sum.varianceMs2 += varianceMs2(job.openImages, first);
    sum.gpus += entry.want;
  }
  return { lanes, beforeMs, allBeforeMs };
}

function laneOf({ parts, ...sum }: Sum & { parts: Part[] }): LaneBacklog {
  const order = parts.sort((a, b) => a.rounds - b.rounds || a.row.index - b.row.index);
  const ends = order.map(({ rounds }) => rounds);
  const done: number[] = [0];
  const weights: number[] = [order.reduce((all, { row }) => all + row.entry.state.weight, 0)];
  for (const [n, { row, workMs }] of order.entries()) {
    done.push((done[n] ?? 0) + workMs);
    weights.push(n === order.length - 1 ? 0 : (weights[n] ?? 0) - row.entry.state.weight);
  }
  return {
    ...sum,
    after(weight, queueWorkMs) {
      const rounds = queueWorkMs / weight;
      const n = countUpTo(ends, rounds);
      const left = Math.max(0, weights[n] ?? 0);
      return {
        workMs: (done[n] ?? sum.workMs) + rounds * left,
        part: left > 0 ? Math.min(1, weight / left) : 1,
      };
    },
  };
}

/** How many of the numbers, which ascend, are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
