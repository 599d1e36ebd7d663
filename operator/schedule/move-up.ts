import { type Board, type PoolRow, give, poolAt, rowFor, rungOn, stopCost } from "./board.ts";
import { shed } from "./keeping.ts";
import { type Rung, workSeconds } from "./ladder.ts";
import { blockOn } from "./offer.ts";
import { type Round, isOpen } from "./round.ts";
import type { Entry } from "./roster.ts";

/** A move must save so many times what it costs, so that small differences of price move nobody. */
const WORTHWHILE = 2;

/**
 * Back up the price ladder: a running job goes on in a cheaper pool that has GPUs again and that nobody waits
 * for, with as many GPUs and its unfinished pictures only. It must have run its minimum time, save twice what
 * the move costs, and still meet its deadline. True when a job moves.
 */
export function moveUp(round: Round): boolean {
  const { board } = round;
  let hasMoved = false;
  const ripe = [...board.active].filter(
    ({ sinceMs }) => board.nowMs - sinceMs >= 1000 * board.settings.minRunSeconds,
  );
  for (const entry of ripe) {
    const rung = entry.shape.ladder.find((one) => isBetter(round, entry, one));
    if (!rung) continue;
    move(board, entry, poolAt(board, rung.pool));
    hasMoved = true;
  }
  return hasMoved;
}

function isBetter(round: Round, entry: Entry, rung: Rung): boolean {
  const { board } = round;
  const from = rungOn(entry, entry.pool);
  const pool = poolAt(board, rung.pool);
  if (!from || rung.pool === entry.pool || rung.pricePerImage >= from.pricePerImage || !isOpen(pool)) {
    return false;
  }
  const saved = entry.job.openImages * (from.pricePerImage - rung.pricePerImage);
  const hourly = poolAt(board, entry.pool).state.pricePerGpuHour + pool.state.pricePerGpuHour;
  const cost = ((stopCost(board, entry) + entry.gpus * board.settings.reloadSeconds) * hourly) / 3600;
  if (saved < WORTHWHILE * cost || !isInTime(board, entry, rung)) return false;
  const block = blockOn(round, { row: rowFor(board, entry), entry, rung, gpus: entry.gpus });
  return block === undefined && !round.reservations[rung.pool];
}

function isInTime(board: Board, entry: Entry, rung: Rung): boolean {
  if (entry.job.deadlineMs === undefined) return true;
  const seconds = board.settings.reloadSeconds + workSeconds(entry.job, rung.secondsPerImage.p90, entry.gpus);
  return board.nowMs + 1000 * seconds <= entry.job.deadlineMs;
}

function move(board: Board, entry: Entry, to: PoolRow): void {
  const { gpus } = entry;
  shed(board, entry, { gpus, reason: "CheaperPool" });
  entry.startedGpus = 0;
  entry.sinceMs = board.nowMs;
  give(board, entry, to, gpus);
}
