/**
 * Work by key: a key waits once however often it is added, is worked on by one worker at a time, and is worked
 * on again when it was added meanwhile. Failed keys come back after a growing pause.
 */
import { retryDelaySeconds } from "./loop.ts";

export interface KeyedQueueOptions {
  readonly work: (key: string) => Promise<void>;
  readonly concurrency: number;
  readonly onError: (key: string, error: unknown) => void;
  readonly random: () => number;
}

export interface KeyedQueue {
  add(key: string): void;
  /** Keys that wait, run or are to be tried again. */
  size(): number;
  /** Forgets what waits; resolves when what runs has ended. */
  close(): Promise<void>;
}

export function startKeyedQueue({ work, concurrency, onError, random }: KeyedQueueOptions): KeyedQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  function pump(): void {
    for (const key of waiting) {
      if (closed || running.size >= concurrency) return;
      waiting.delete(key);
      running.set(key, run(key));
    }
  }

  async function run(key: string): Promise<void> {
    try {
      await work(key);
      failures.delete(key);
    } catch (error) {
      onError(key, error);
      retryLater(key);
    }
    running.delete(key);
    if (again.delete(key) && !timers.has(key)) waiting.add(key);
    pump();
  }

  function retryLater(key: string): void {
    if (closed) return;
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    const delay = retryDelaySeconds(count, random) * 1000;
    timers.set(
      key,
      setTimeout(() => {
        timers.delete(key);
        add(key);
      }, delay),
    );
  }

  function add(key: string): void {
    // A key that waits for its next try does not jump its pause.
    if (closed || timers.has(key)) return;
    if (running.has(key)) again.add(key);
    else waiting.add(key);
    pump();
  }

  return {
    add,
    size: () => waiting.size + running.size + timers.size,
    async close() {
      closed = true;
      waiting.clear();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      await Promise.all(running.values());
    },
  };
}
