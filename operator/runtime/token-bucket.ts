import type { Clock } from "./clock.ts";
import { createTokens, type Rate } from "./tokens.ts";

export interface TokenBucket {
  /** Resolves when a token is ours; callers are served in the order in which they came. */
  take(): Promise<void>;
}

/** Limits a rate: `burst` at once, then `perSecond`. */
export function createTokenBucket(rate: Rate, clock: Clock): TokenBucket {
  const tokens = createTokens(rate, clock);
  const waiting: (() => void)[] = [];
  let isTimerSet = false;

  const serve = () => {
    while (waiting.length > 0 && tokens.take()) waiting.shift()?.();
    if (waiting.length === 0 || isTimerSet) return;
    isTimerSet = true;
    clock.setTimer(tokens.waitMs(), () => {
      isTimerSet = false;
      serve();
    });
  };
  return {
    take: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        serve();
      }),
  };
}
