import { type Board, type PoolRow, poolAt, rungOn } from "./board.ts";
import { type Rung, workSeconds } from "./ladder.ts";
import { type Round, isOpen, unclaimed } from "./round.ts";
import type { Entry } from "./roster.ts";
import type { Shape } from "./shapes.ts";

/**
 * No large job starves behind small ones. The first job that a pool has too few free GPUs for gets a reservation
 * there: its start is expected when enough running jobs have ended. Others may pass it in this pool
 *   - on GPUs that it will not need at that moment, or
 *   - when nine times of ten they are done by then;
 * and nobody passes a job that was created longer ago than `backfillPatienceSeconds`. So passing does not delay
 * it, as far as the measured speeds are right, and wrong ones delay it by that patience at most.
 */
export interface Reservation {
  readonly head: Entry;
  readonly startMs: number;
  /** Its place in the order of queues, see `fill.ts`. */
  readonly isEntitled: boolean;
  readonly share: number;
  /** GPUs that are free at `startMs` beyond what the head needs. */
  extra: number;
}

/** Reserves, of the pools that could take the job and are not reserved, the one where it starts soonest. */
export function reserve(
  round: Round,
  turn: Pick<Reservation, "isEntitled" | "share"> & { entry: Entry },
): void {
  const { entry, isEntitled, share } = turn;
  let best: { pool: number; startMs: number; extra: number } | undefined;
  for (const { pool } of entry.shape.ladder) {
    const row = poolAt(round.board, pool);
    if (!isOpen(row) || round.reservations[pool]) continue;
    const start = expectedStart(round, row, entry.need);
    if (!best || start.startMs < best.startMs) best = { pool, ...start };
  }
  if (!best) return;
  const { startMs, extra } = best;
  round.version++;
  round.reservations[best.pool] = { head: entry, isEntitled, share, startMs, extra };
}

function expectedStart(round: Round, pool: PoolRow, need: number): { startMs: number; extra: number } {
  const { board } = round;
  const releases = [...board.active]
    .filter((entry) => entry.pool === pool.index)
    .map((entry) => ({ atMs: doneMs(board, entry, "p50"), gpus: entry.gpus }))
    .sort((a, b) => a.atMs - b.atMs);
  let free = pool.free + pool.ending - (round.claimed[pool.index] ?? 0);
  if (free >= need) return { startMs: board.nowMs, extra: free - need };
  for (const { atMs, gpus } of releases) {
    free += gpus;
    if (free >= need) return { startMs: atMs, extra: free - need };
  }
  return { startMs: Infinity, extra: 0 };
}

/** When a job that has GPUs is expected to be done with them. */
export function doneMs(board: Board, entry: Entry, quantile: "p50" | "p90"): number {
  const rung = rungOn(entry, entry.pool);
  return rung ? doneOn(board, { entry, rung, gpus: entry.gpus }, quantile) : board.nowMs;
}

interface Use {
  readonly entry: Entry;
  readonly rung: Rung;
  readonly gpus: number;
}

function doneOn(board: Board, { entry, rung, gpus }: Use, quantile: "p50" | "p90"): number {
  const reload = entry.startedGpus > 0 ? 0 : board.settings.reloadSeconds;
  return board.nowMs + 1000 * (reload + workSeconds(entry.job, rung.secondsPerImage[quantile], gpus));
}

/** Whether the use of GPUs leaves the head's start as it is. */
export function mayPass(board: Board, reservation: Reservation, use: Use): boolean {
  const { head, startMs, extra } = reservation;
  if (head === use.entry) return true;
  if (isOutOfPatience(board, head)) return false;
  return use.gpus <= extra || isDoneBefore(board, use, startMs);
}

function isDoneBefore(board: Board, use: Use, startMs: number): boolean {
  return doneOn(board, { ...use, gpus: use.entry.gpus + use.gpus }, "p90") <= startMs;
}

/** To be called with what `mayPass` allowed: GPUs beyond the head's need are spent only once. */
export function pass(board: Board, reservation: Reservation | undefined, use: Use): void {
  if (!reservation || reservation.head === use.entry) return;
  if (!isDoneBefore(board, use, reservation.startMs)) reservation.extra -= use.gpus;
}

function isOutOfPatience(board: Board, { job }: Entry): boolean {
  return board.nowMs - job.createdAtMs > 1000 * board.settings.backfillPatienceSeconds;
}

/**
 * True when nobody of this shape could start now, except those for whom a pool is reserved: no pool has enough
 * free GPUs that may be passed on. Known for all queues at once, so that not every job is asked.
 */
export function isOutOfReach(round: Round, shape: Shape): boolean {
  const { reach } = shape;
  if (reach?.round === round && reach.version === round.version) return reach.isOut;
  const { board, version } = round;
  const isOut =
    shape.ladder.some(({ pool }) => isOpen(poolAt(board, pool))) &&
    shape.ladder.every(({ pool }) => isPoolOutOfReach(round, poolAt(board, pool), shape.needs.gpus));
  shape.reach = { round, version, isOut };
  return isOut;
}

/** True when some GPU is free that a job behind others might get. */
export function isAnyInReach(round: Round): boolean {
  const { version, board } = round;
  if (round.reach.version !== version) {
    round.reach = { version, isAny: board.pools.some((pool) => !isPoolOutOfReach(round, pool, 1)) };
  }
  return round.reach.isAny;
}

function isPoolOutOfReach(round: Round, pool: PoolRow, gpus: number): boolean {
  if (!isOpen(pool) || unclaimed(round, pool) < gpus) return true;
  const reservation = round.reservations[pool.index];
  return reservation !== undefined && isOutOfPatience(round.board, reservation.head);
}
