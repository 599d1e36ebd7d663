import type { Clock } from "./clock.ts";

export interface TokenBucket {
  /** Resolves when a token is ours; callers are served in the order in which they came. */
  take(): Promise<void>;
}

/** Limits a rate: `burst` at once, then `perSecond`. */
export function createTokenBucket(
  { perSecond, burst }: { perSecond: number; burst: number },
  clock: Clock,
): TokenBucket {
  let tokens = burst;
  let filledAtMs = clock.monotonicMs();
  const waiting: (() => void)[] = [];
  let isTimerSet = false;

  const refill = () => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
    filledAtMs = nowMs;
  };
  const serve = () => {
    refill();
    // Timers may fire a fraction of a millisecond early; a token that is all but there counts.
    while (waiting.length > 0 && tokens >= 0.999) {
      tokens -= 1;
      waiting.shift()?.();
    }
    if (waiting.length === 0 || isTimerSet) return;
    isTimerSet = true;
    clock.setTimer(Math.max(1, ((1 - tokens) / perSecond) * 1000), () => {
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
