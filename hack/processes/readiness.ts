import { setTimeout as sleep } from "node:timers/promises";
import { readLines } from "./log-file.ts";

const LOG_PAUSE_MILLISECONDS = 15;
const PROBE_PAUSE_MILLISECONDS = 40;

/** How a part tells that it can be used. What is found (a port, say) becomes `Part.ready`. */
export type Readiness<T> =
  | {
      readonly by: "line";
      /** Looks at one line of the part's output (stdout or stderr); undefined means "not yet". */
      readonly read: (line: string) => T | undefined;
      readonly deadlineSeconds: number;
    }
  | {
      readonly by: "probe";
      /** Asked again and again; undefined or a rejection means "not yet". */
      readonly probe: () => Promise<T | undefined>;
      readonly deadlineSeconds: number;
    };

/**
 * Waits until the part is ready.
 * @param signal ends the waiting, for instance because the process has ended
 * @throws an Error that says what was waited for, at the deadline or when `signal` fires
 */
export async function untilReady<T>(
  readiness: Readiness<T>,
  logFile: string,
  signal: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + readiness.deadlineSeconds * 1000;
  const look = readiness.by === "line" ? lookInLog(readiness.read, logFile) : askProbe(readiness.probe);
  try {
    for (;;) {
      // Asked before the look: what a process wrote in its last moment is still read.
      const isLast = signal.aborted || performance.now() >= deadline;
      const found = await look.once();
      if (found !== undefined) return found;
      if (isLast) throw new Error(signal.aborted ? String(signal.reason) : late(readiness, look.problem()));
      await sleep(look.pauseMilliseconds, undefined, { signal }).catch(() => {});
    }
  } finally {
    look.close();
  }
}

interface Look<T> {
  readonly pauseMilliseconds: number;
  once(): Promise<T | undefined>;
  problem(): string;
  close(): void;
}

function lookInLog<T>(read: (line: string) => T | undefined, logFile: string): Look<T> {
  const reader = readLines(logFile);
  return {
    pauseMilliseconds: LOG_PAUSE_MILLISECONDS,
    async once() {
      for (const line of reader.newLines()) {
        const found = read(line);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    problem: () => "",
    close: () => reader.close(),
  };
}

function askProbe<T>(probe: () => Promise<T | undefined>): Look<T> {
  let problem = "";
  return {
    pauseMilliseconds: PROBE_PAUSE_MILLISECONDS,
    async once() {
      try {
        return await probe();
      } catch (error) {
        problem = `: ${error instanceof Error ? error.message : String(error)}`;
        return undefined;
      }
    },
    problem: () => problem,
    close: () => {},
  };
}

function late(readiness: Readiness<unknown>, problem: string): string {
  return `was not ready within ${readiness.deadlineSeconds} s${problem}`;
}
