import { type Block, type Board, type QueueRow, poolAt, rowFor } from "./board.ts";
import type { Forecast, Prospect } from "./eta.ts";
import { type Reason, type Standing, explain, sharedBlock } from "./explain.ts";
import { mostRoom } from "./quota.ts";
import type { Entry } from "./roster.ts";
import type { Shape } from "./shapes.ts";
import type { Round } from "./round.ts";

/**
 * What a plan says alike of all waiting jobs of one shape in one queue. Thousands of jobs have a handful of
 * these, so each is worked out once, when the first of its jobs is asked for.
 */
export interface Outlook {
  /** For those whose own turn found nothing (`Entry.block`). */
  readonly block: Block;
  readonly told: Reason | Standing;
  /** Undefined when no end of another job can help. */
  readonly prospect: Prospect | undefined;
}

export function createOutlooks(round: Round, forecast: Forecast): (entry: Entry) => Outlook {
  const { board } = round;
  const byShape = new Map<Shape, (Outlook | undefined)[]>();

  function outlookFor(entry: Entry, row: QueueRow): Outlook {
    const { shape } = entry;
    const block = sharedBlock(round, row, shape);
    return {
      block,
      told: explain({ board, row, entry }, block),
      prospect: hasRoom(board, row, shape) ? forecast.prospect(row, shape) : undefined,
    };
  }

  return (entry) => {
    let byQueue = byShape.get(entry.shape);
    if (!byQueue) byShape.set(entry.shape, (byQueue = board.queues.map(() => undefined)));
    const row = rowFor(board, entry);
    return (byQueue[row.index] ??= outlookFor(entry, row));
  };
}

function hasRoom(board: Board, { quota }: QueueRow, { ladder, needs }: Shape): boolean {
  return ladder.some(({ pool }) => mostRoom(quota, poolAt(board, pool).gpuClass) >= needs.gpus);
}
