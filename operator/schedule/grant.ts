import { give, poolAt } from "./board.ts";
import type { Offer } from "./offer.ts";
import { pass } from "./reservation.ts";
import type { Round } from "./round.ts";
import type { Entry } from "./roster.ts";

/** Gives the job what it was offered. */
export function grant(round: Round, entry: Entry, { rung, gpus }: Offer): void {
  const { board } = round;
  const pool = poolAt(board, rung.pool);
  pass(board, round.reservations[rung.pool], { entry, rung, gpus });
  if (entry.gpus === 0) {
    entry.sinceMs = board.nowMs;
    entry.startedGpus = 0;
  }
  entry.block = undefined;
  give(board, entry, pool, gpus);
  round.hasChanged = true;
  round.version++;
}
