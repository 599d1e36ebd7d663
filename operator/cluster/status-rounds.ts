import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

export interface StatusRoundsDeps {
  readonly round: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalSeconds: number;
}

/** Runs a round every few seconds until the signal is aborted. A round that fails is told, and the next one tries. */
export async function runStatusRounds(deps: StatusRoundsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await deps.round();
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error }, "statuses of pools and queues were not all written");
    }
    await sleep(deps.clock, deps.intervalSeconds * 1000, signal);
  }
}
