import { type Block, type Board, type PoolRow, type QueueRow, rowFor } from "./board.ts";
import { takeQuota } from "./quota.ts";
import type { Reservation } from "./reservation.ts";
import type { Entry } from "./roster.ts";
import type { Shape } from "./shapes.ts";

/**
 * One round over all queues, see `fill.ts`. What waits is noted from scratch in each round, so that a round that
 * changes nothing sees exactly what the next plan will see.
 */
export interface Round {
  readonly board: Board;
  /** By pool index: the job that the pool's next GPUs are kept for. */
  readonly reservations: (Reservation | undefined)[];
  /** By pool index: free and ending GPUs that a waiting job counts on. */
  readonly claimed: number[];
  /** The same by queue: counted as used until the round ends. */
  readonly claims: { row: QueueRow; gpuClass: number; gpus: number }[];
  /** By queue index. */
  readonly queues: (QueueRound | undefined)[];
  /** By cohort and class index: the job that waits for what the cohort has to lend. */
  readonly cohorts: Map<string, (Entry | undefined)[]>;
  /** Jobs that others have given GPUs up for, and that count on them. */
  readonly promised: Set<Entry>;
  /** Jobs whose `block` this round has said. */
  readonly blocked: Entry[];
  hasChanged: boolean;
  /** Bumped when less can be had than before: by grants, claims and reservations. */
  version: number;
  /** For one version: whether any GPU is free that may be given past those who wait. */
  reach: { readonly version: number; readonly isAny: boolean };
}

export interface QueueRound {
  readonly row: QueueRow;
  /** The first job that waits for something that the jobs behind it could take away. */
  head: Entry | undefined;
  /** Shapes that did not fit, and why: no other job of these needs to be looked at. */
  readonly dead: Map<Shape, Block>;
  /** By class index: the job that waits for the queue's own quota. */
  readonly waitsForQuota: (Entry | undefined)[];
  isClosed: boolean;
}

export function startRound(board: Board): Round {
  return {
    board,
    reservations: [],
    claimed: board.pools.map(() => 0),
    claims: [],
    queues: board.queues.map(() => undefined),
    cohorts: new Map(),
    promised: new Set(),
    blocked: [],
    hasChanged: false,
    version: 0,
    reach: { version: -1, isAny: false },
  };
}

/** What was claimed is not assigned: the next round claims it again. */
export function endRound(round: Round): void {
  for (const { row, gpuClass, gpus } of round.claims) takeQuota(row.quota, gpuClass, -gpus);
}

/** Free GPUs of a pool that no waiting job counts on. */
export function unclaimed(round: Round, pool: PoolRow): number {
  return pool.free - Math.max(0, (round.claimed[pool.index] ?? 0) - pool.ending);
}

export function queueRound(round: Round, row: QueueRow): QueueRound {
  return (round.queues[row.index] ??= {
    row,
    head: undefined,
    dead: new Map(),
    waitsForQuota: [],
    isClosed: false,
  });
}

export function isOpen(pool: PoolRow): boolean {
  return pool.stockedOutUntilMs === undefined;
}

/** Notes that the job waits for a quota, so that nobody behind it takes what it waits for. */
export function holdQuota(round: Round, entry: Entry, block: Block): void {
  const row = rowFor(round.board, entry);
  if (block.on === "quota") {
    const { waitsForQuota } = queueRound(round, row);
    if (waitsForQuota[block.gpuClass]) return;
    waitsForQuota[block.gpuClass] = entry;
    round.version++;
  } else if (block.on === "cohort" && row.quota.cohort) {
    const { name } = row.quota.cohort;
    const waiting = round.cohorts.get(name) ?? [];
    if (waiting[block.gpuClass]) return;
    waiting[block.gpuClass] = entry;
    round.cohorts.set(name, waiting);
    round.version++;
  }
}
