import type { Board, QueueRow } from "./board.ts";

/**
 * Weighted dominant-resource fairness. A queue's share is the largest of its shares of any one GPU class, by its
 * weight. What a queue used in the past counts too (decayed), but only to decide who is next when GPUs are free:
 * nobody is preempted for what he used yesterday.
 */
export function presentShare(board: Board, row: QueueRow, more?: { gpuClass: number; gpus: number }): number {
  return dominant(board, row, { more, withPast: false }) / row.entry.state.weight;
}

/** Present share and decayed past usage: the order in which queues are served, lowest first. */
export function servedShare(board: Board, row: QueueRow, more?: { gpuClass: number; gpus: number }): number {
  return dominant(board, row, { more, withPast: true }) / row.entry.state.weight;
}

/** The dominant share without weight and past, 0 to 1. */
export function plainShare(board: Board, row: QueueRow): number {
  return dominant(board, row, { more: undefined, withPast: false });
}

/**
 * The past weighs more than the present, because GPUs come in whole numbers: of three GPUs and five queues only
 * time can give everybody his share.
 */
const PAST_WEIGHT = 3;

interface Counting {
  readonly more: { gpuClass: number; gpus: number } | undefined;
  readonly withPast: boolean;
}

function dominant(board: Board, row: QueueRow, { more, withPast }: Counting): number {
  let largest = 0;
  for (let gpuClass = 0; gpuClass < board.capacity.length; gpuClass++) {
    let gpus = row.quota.used[gpuClass] ?? 0;
    if (more?.gpuClass === gpuClass) gpus += more.gpus;
    if (withPast) gpus += PAST_WEIGHT * (row.average[gpuClass] ?? 0);
    const share = gpus / Math.max(1, board.capacity[gpuClass] ?? 0);
    if (share > largest) largest = share;
  }
  return largest;
}
