/**
 * Runs a task again and again: at every wake, and at the latest after a pause. Never twice at once; a wake
 * during a run leads to one more. After a failure the pause grows, with jitter, up to a limit.
 */

export interface LoopOptions {
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly everySeconds: number;
  readonly onError: (error: unknown) => void;
  /** Of the interval [0, 1). */
  readonly random: () => number;
}

export interface Loop {
  wake(): void;
  /** Resolves when the run at work has ended. */
  close(): Promise<void>;
}

const FIRST_RETRY_SECONDS = 0.25;
const LONGEST_RETRY_SECONDS = 10;

/** Seconds to wait after the nth failure in a row, counted from 1. */
export function retryDelaySeconds(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (failures - 1));
  return full * (0.5 + random() / 2);
}

export function startLoop({ run, everySeconds, onError, random }: LoopOptions): Loop {
  const closing = new AbortController();
  let woken = false;
  let endPause: () => void = () => undefined;

  const pause = (seconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const running = (async () => {
    let failures = 0;
    while (!closing.signal.aborted) {
      woken = false;
      const start = performance.now();
      try {
        await run(closing.signal);
        failures = 0;
      } catch (error) {
        if (!closing.signal.aborted) onError(error);
        // A run that was well for a while before it failed is not part of a series.
        const lasted = (performance.now() - start) / 1000;
        failures = lasted > LONGEST_RETRY_SECONDS ? 1 : failures + 1;
      }
      if (closing.signal.aborted) break;
      // After a failure a wake does not shorten the pause: it would make a hot loop of a broken part.
      if (failures > 0) await pause(retryDelaySeconds(failures, random));
      else if (!woken) await pause(everySeconds);
    }
  })();

  return {
    wake() {
      woken = true;
      endPause();
    },
    async close() {
      closing.abort();
      endPause();
      await running;
    },
  };
}
