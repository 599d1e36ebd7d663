import type { Clock } from "./clock.ts";

export interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, when none were taken for a while. */
  readonly burst: number;
}

/** Tokens that come at a rate and are saved up to its burst. */
export interface Tokens {
  /** Takes one, if there is one. */
  take(): boolean;
  /** One that was taken and is not needed. */
  giveBack(): void;
  /** Until there is one, if none is taken meanwhile. */
  waitMs(): number;
}

/** Timers may fire a fraction of a millisecond early; a token that is all but there counts. */
const ALL_BUT_ONE = 0.999;

export function createTokens({ perSecond, burst }: Rate, clock: Pick<Clock, "monotonicMs">): Tokens {
  let tokens = burst;
  let filledAtMs = clock.monotonicMs();
  return {
    take() {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
      filledAtMs = nowMs;
      if (tokens < ALL_BUT_ONE) return false;
      tokens -= 1;
      return true;
    },
    giveBack() {
      tokens += 1;
    },
    waitMs: () => Math.max(1, ((1 - tokens) / perSecond) * 1000),
  };
}
