import type { Board, QueueRow } from "./board.ts";
import { P90_DEVIATIONS } from "./ladder.ts";
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
  readonly byQueue: ReadonlyMap<QueueRow, number>;
  /** When so much of this queue's work has been taken up. */
  after(row: QueueRow, queueWorkMs: number): LaneMoment;
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

export function canWait(entry: Entry): boolean {
  return entry.queue.exists && entry.shape.lane !== "";
}

interface Sum {
  workMs: number;
  varianceMs2: number;
  gpus: number;
}

/** What waits in one queue, by lane; kept as long as neither its jobs nor who of them has GPUs change. */
export interface QueueBacklog {
  readonly version: number;
  readonly active: readonly Entry[];
  readonly lanes: ReadonlyMap<string, Sum>;
}

/** By lane, lanes in order of their names. */
export function measureBacklog(board: Board): ReadonlyMap<string, LaneBacklog> {
  const active = Map.groupBy(board.active, ({ queue }) => queue);
  const sums = new Map<string, Sum & { byQueue: Map<QueueRow, number> }>();
  for (const row of board.queues) {
    for (const [lane, part] of backlogOf(row.entry, active.get(row.entry) ?? []).lanes) {
      let sum = sums.get(lane);
      if (!sum) sums.set(lane, (sum = { workMs: 0, varianceMs2: 0, gpus: 0, byQueue: new Map() }));
      sum.workMs += part.workMs;
      sum.varianceMs2 += part.varianceMs2;
      sum.gpus += part.gpus;
      sum.byQueue.set(row, part.workMs);
    }
  }
  const lanes = [...sums].sort(([a], [b]) => compareText(a, b));
  return new Map(lanes.map(([lane, sum]) => [lane, laneOf(sum)]));
}

function backlogOf(queue: QueueEntry, active: readonly Entry[]): QueueBacklog {
  const { backlog, version } = queue;
  const isSame =
    backlog?.version === version &&
    backlog.active.length === active.length &&
    backlog.active.every((entry, n) => entry === active[n]);
  if (isSame) return backlog;
  return (queue.backlog = { version, active, lanes: sumUp(queue) });
}

function sumUp(queue: QueueEntry): ReadonlyMap<string, Sum> {
  const lanes = new Map<string, Sum>();
  for (const entry of queue.jobs) {
    if (entry.gpus > 0 || !canWait(entry)) continue;
    let sum = lanes.get(entry.shape.lane);
    if (!sum) lanes.set(entry.shape.lane, (sum = { workMs: 0, varianceMs2: 0, gpus: 0 }));
    sum.workMs += entry.workMs;
    sum.varianceMs2 += entry.varianceMs2;
    sum.gpus += entry.want;
  }
  return lanes;
}

function laneOf(sum: Sum & { byQueue: ReadonlyMap<QueueRow, number> }): LaneBacklog {
  const weightOf = (row: QueueRow) => row.entry.state.weight;
  const order = [...sum.byQueue]
    .map(([row, workMs]) => ({ row, workMs, rounds: workMs / weightOf(row) }))
    .sort((a, b) => a.rounds - b.rounds || a.row.index - b.row.index);
  const done: number[] = [0];
  const weights: number[] = [order.reduce((all, { row }) => all + weightOf(row), 0)];
  for (const [n, { row, workMs }] of order.entries()) {
    done.push((done[n] ?? 0) + workMs);
    weights.push(n === order.length - 1 ? 0 : (weights[n] ?? 0) - weightOf(row));
  }
  /** How many queues are done after so many rounds, each of which gives every queue its weight. */
  const doneAfter = (rounds: number) => {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((order[middle]?.rounds ?? Infinity) <= rounds) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    ...sum,
    after(row, queueWorkMs) {
      const weight = weightOf(row);
      const rounds = queueWorkMs / weight;
      const n = doneAfter(rounds);
      const left = Math.max(0, weights[n] ?? 0);
      return {
        workMs: (done[n] ?? sum.workMs) + rounds * left,
        part: left > 0 ? Math.min(1, weight / left) : 1,
      };
    },
  };
}
