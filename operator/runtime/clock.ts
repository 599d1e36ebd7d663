/** Time as an argument: wall clock for what people read, monotonic clock for what must not jump. */
export interface Clock {
  now(): Date;
  /** Milliseconds since an arbitrary moment; never goes back, whatever happens to the wall clock. */
  monotonicMs(): number;
  /** Runs `run` once after `ms` milliseconds. Returns how to cancel it. */
  setTimer(ms: number, run: () => void): () => void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds, or at once when `signal` is aborted: look at the signal afterwards. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.setTimer(ms, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
