import { rowFor } from "./board.ts";
import { grant } from "./grant.ts";
import { offerFor } from "./offer.ts";
import { claimAgain } from "./preemption.ts";
import type { Round } from "./round.ts";

/**
 * A round begins with those for whom others gave GPUs up in an earlier round of this plan: they start, or count on
 * what is on its way to them. Else the victims, or anybody whose turn comes sooner, would take it first, only to
 * be preempted once more, round after round.
 */
export function serveHeirs(round: Round): void {
  for (const [entry, pool] of round.board.heirs) {
    if (entry.gpus > 0) continue;
    const row = rowFor(round.board, entry);
    const answer = offerFor(round, row, entry);
    if (answer.on === "offer") {
      grant(round, entry, answer);
      continue;
    }
    const claimed = claimAgain(round, { row, entry }, pool);
    if (!claimed) continue;
    entry.block = claimed;
    round.blocked.push(entry);
    round.promised.add(entry);
  }
}
