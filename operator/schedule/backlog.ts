import type { Board, QueueRow } from "./board.ts";
import { P90_DEVIATIONS } from "./ladder.ts";
import type { Entry } from "./roster.ts";

/**
 * The work that waits, by lane (the set of pools that can do it) and queue, in GPU-milliseconds; and the order
 * in which fair shares take it up: each queue is served in proportion to its weight until its work is done, so
 * in a lane the queue with the least work by weight is done first.
 */
export interface LaneBacklog {
  readonly workMs: number;
  readonly varianceMs2: number;
  readonly jobs: number;
  readonly byQueue: ReadonlyMap<QueueRow, number>;
  /** Work of the whole lane that is taken up before so much of this queue's is. */
  before(row: QueueRow, queueWorkMs: number): number;
  /** The part of the lane's GPUs, 0 to 1, that the queue has then. */
  partOf(row: QueueRow, queueWorkMs: number): number;
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
  jobs: number;
  readonly byQueue: Map<QueueRow, number>;
}

/** By lane, lanes in order of their names. */
export function measureBacklog(board: Board): ReadonlyMap<string, LaneBacklog> {
  const sums = new Map<string, Sum>();
  for (const row of board.queues) {
    for (const entry of row.entry.jobs) {
      if (entry.gpus > 0 || !canWait(entry)) continue;
      const { lane } = entry.shape;
      let sum = sums.get(lane);
      if (!sum) sums.set(lane, (sum = { workMs: 0, varianceMs2: 0, jobs: 0, byQueue: new Map() }));
      const { workMs, varianceMs2 } = entry;
      sum.workMs += workMs;
      sum.varianceMs2 += varianceMs2;
      sum.jobs++;
      sum.byQueue.set(row, (sum.byQueue.get(row) ?? 0) + workMs);
    }
  }
  const names = [...sums.keys()].sort();
  return new Map(
    names.flatMap((lane) => sums.get(lane) ?? []).map((sum, n) => [names[n] ?? "", laneOf(sum)]),
  );
}

function laneOf(sum: Sum): LaneBacklog {
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
    before(row, queueWorkMs) {
      const rounds = queueWorkMs / weightOf(row);
      const n = doneAfter(rounds);
      return (done[n] ?? sum.workMs) + rounds * Math.max(0, weights[n] ?? 0);
    },
    partOf(row, queueWorkMs) {
      const left = Math.max(0, weights[doneAfter(queueWorkMs / weightOf(row))] ?? 0);
      return left > 0 ? Math.min(1, weightOf(row) / left) : 1;
    },
  };
}
