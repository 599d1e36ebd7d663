import { type Board, poolAt } from "./board.ts";
import type { Round } from "./round.ts";
import type { Entry } from "./roster.ts";
import { windowStartMs } from "./usage.ts";

const MINUTE_MS = 60_000;

/**
 * The next moment at which time alone may change the plan. While anything waits, past usage fades and shares
 * change with it, so a plan is made every minute.
 */
export function wakeAtMs(round: Round): number | undefined {
  const { board } = round;
  const moments = [...stockMoments(board), ...[...board.active].flatMap((entry) => jobMoments(board, entry))];
  for (const queue of round.queues) {
    if (!queue) continue;
    const { row, head, isClosed } = queue;
    if (head) moments.push((Math.floor(board.nowMs / MINUTE_MS) + 1) * MINUTE_MS);
    const { budget } = row.entry.state;
    if (isClosed && budget) moments.push(windowStartMs(budget, board.nowMs) + budget.windowSeconds * 1000);
  }
  let next = Infinity;
  for (const moment of moments) if (moment > board.nowMs && moment < next) next = moment;
  return next === Infinity ? undefined : next;
}

function stockMoments(board: Board): number[] {
  return board.pools.map(({ stockedOutUntilMs }) => stockedOutUntilMs ?? Infinity);
}

/** The end of its minimum run time, and of its patience with a node that does not come. */
function jobMoments(board: Board, entry: Entry): number[] {
  const ripeAtMs = entry.sinceMs + 1000 * board.settings.minRunSeconds;
  const nodelessSinceMs = entry.startedGpus < entry.gpus ? entry.job.holding?.nodelessSinceMs : undefined;
  if (nodelessSinceMs === undefined) return [ripeAtMs];
  return [ripeAtMs, nodelessSinceMs + 1000 * poolAt(board, entry.pool).state.startTimeoutSeconds];
}
