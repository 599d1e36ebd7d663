import { backoffMs, type BackoffSettings } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { KeyLine } from "./key-line.ts";

/**
 * A queue of keys. A key is in it at most once and is worked on by at most one worker at a time; a key that
 * is added while it is worked on comes again afterwards, so no change is ever missed and none is done twice
 * side by side. Keys of a higher priority go first, but now and then one of a lower, so that those are never
 * forgotten; within a priority, first come first served: a key that keeps changing waits behind all others.
 */
export type Priority = (typeof PRIORITIES)[number];

/** Highest first. */
const PRIORITIES = ["urgent", "high", "low"] as const;

export interface WorkQueue {
  /**
   * Urgent is for what costs money while it waits; high for what somebody has just changed; low for starting up,
   * looking again, and what the time brings.
   */
  add(key: string, priority?: Priority): void;
  /** Adds the key after a while, low; of several such wishes for one key the earliest counts. */
  addAfter(key: string, ms: number): void;
  /**
   * Adds the key after its back-off, which grows with each call until `forget`, with the priority that it had
   * when it was taken. Returns the wait.
   */
  retry(key: string, limits?: RetryLimits): number;
  /** The key's work succeeded: its back-off starts anew. */
  forget(key: string): void;
  /** The next key to work on; undefined once the queue is closed. Call `done` with it afterwards. */
  next(): Promise<string | undefined>;
  done(key: string): void;
  /** Gives out no more keys and resolves when the ones being worked on are done. */
  close(): Promise<void>;
  readonly depth: number;
}

/** Told what the queue does; see metrics.ts. */
export interface QueueObserver {
  /** Told once, how to ask for how many seconds each key that is being worked on has been so. */
  opened(workedSeconds: () => readonly number[]): void;
  added(): void;
  depth(length: number): void;
  retried(): void;
  started(waitedSeconds: number): void;
  finished(workedSeconds: number): void;
}

/** Bounds on one wait, in milliseconds. */
export interface RetryLimits {
  readonly minMs?: number | undefined;
  readonly maxMs?: number | undefined;
}

interface Waiting {
  priority: Priority;
  readonly sinceMs: number;
}

interface InHand {
  readonly priority: Priority;
  readonly startedMs: number;
}

interface Delayed {
  readonly dueMs: number;
  priority: Priority;
  readonly cancel: () => void;
}

/** A priority that was passed over so many times in a row has its turn. */
const MOST_PASSED_OVER = 8;

export interface WorkQueueSettings {
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly backoff: BackoffSettings;
  readonly observer?: QueueObserver;
}

export function createWorkQueue(settings: WorkQueueSettings): WorkQueue {
  return new KeyedQueue(settings);
}

class KeyedQueue implements WorkQueue {
  readonly #settings: WorkQueueSettings;
  /** Keys that are to be worked on, also those that a worker has in hand right now. */
  readonly #dirty = new Map<string, Waiting>();
  /** Of those, the ones that a worker may take, in order. */
  readonly #ready: Record<Priority, KeyLine> = {
    urgent: new KeyLine(),
    high: new KeyLine(),
    low: new KeyLine(),
  };
  readonly #passedOver: Record<Priority, number> = { urgent: 0, high: 0, low: 0 };
  readonly #inHand = new Map<string, InHand>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #idleWorkers: ((key: string | undefined) => void)[] = [];
  readonly #closers: (() => void)[] = [];
  #isClosed = false;

  constructor(settings: WorkQueueSettings) {
    this.#settings = settings;
    settings.observer?.opened(() =>
      Array.from(this.#inHand.values(), ({ startedMs }) => (this.#nowMs() - startedMs) / 1000),
    );
  }

  get depth(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#ready[priority].size, 0);
  }

  add(key: string, priority: Priority = "high"): void {
    if (this.#isClosed) return;
    this.#settings.observer?.added();
    const waiting = this.#dirty.get(key);
    if (!waiting) {
      this.#dirty.set(key, { priority, sinceMs: this.#nowMs() });
      if (!this.#inHand.has(key)) this.#makeReady(key, priority);
    } else if (isHigher(priority, waiting.priority)) {
      const wasReady = this.#ready[waiting.priority].delete(key);
      waiting.priority = priority;
      if (wasReady) this.#makeReady(key, priority);
    }
  }

  addAfter(key: string, ms: number): void {
    this.#addLater(key, ms, "low");
  }

  retry(key: string, { minMs = 0, maxMs = Infinity }: RetryLimits = {}): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#settings.observer?.retried();
    const { backoff, random } = this.#settings;
    const grownMs = Math.min(maxMs, backoffMs(failures, backoff, random()));
    // Many keys may have been told the same: they must not all come back at that moment.
    const ms = Math.max(grownMs, minMs * (1 + random() / 4));
    this.#addLater(key, ms, this.#inHand.get(key)?.priority ?? "low");
    return ms;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  next(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const key = this.#takeReady();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#idleWorkers.push(resolve));
  }

  done(key: string): void {
    const inHand = this.#inHand.get(key);
    if (!inHand) return;
    this.#inHand.delete(key);
    this.#settings.observer?.finished((this.#nowMs() - inHand.startedMs) / 1000);
    const again = this.#dirty.get(key);
    if (again) this.#makeReady(key, again.priority);
    if (this.#isClosed && this.#inHand.size === 0) for (const finish of this.#closers) finish();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const worker of this.#idleWorkers.splice(0)) worker(undefined);
    this.#settings.observer?.depth(0);
    if (this.#inHand.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#closers.push(resolve));
  }

  #nowMs(): number {
    return this.#settings.clock.monotonicMs();
  }

  #makeReady(key: string, priority: Priority): void {
    this.#ready[priority].add(key);
    const worker = this.#isClosed ? undefined : this.#idleWorkers.shift();
    if (worker) worker(this.#takeReady());
    this.#settings.observer?.depth(this.depth);
  }

  #addLater(key: string, ms: number, priority: Priority): void {
    if (this.#isClosed) return;
    if (ms <= 0) return this.add(key, priority);
    const dueMs = this.#nowMs() + ms;
    const planned = this.#delayed.get(key);
    const higher = planned && isHigher(planned.priority, priority) ? planned.priority : priority;
    if (planned && planned.dueMs <= dueMs) {
      planned.priority = higher;
      return;
    }
    planned?.cancel();
    const cancel = this.#settings.clock.setTimer(ms, () => {
      this.#delayed.delete(key);
      this.add(key, delayed.priority);
    });
    const delayed: Delayed = { dueMs, priority: higher, cancel };
    this.#delayed.set(key, delayed);
  }

  #takeReady(): string | undefined {
    const priority = this.#nextPriority();
    const key = this.#ready[priority].take();
    if (key === undefined) return undefined;
    this.#notePassedOver(priority);
    const startedMs = this.#nowMs();
    const sinceMs = this.#dirty.get(key)?.sinceMs ?? startedMs;
    this.#dirty.delete(key);
    this.#inHand.set(key, { priority, startedMs });
    this.#settings.observer?.started((startedMs - sinceMs) / 1000);
    this.#settings.observer?.depth(this.depth);
    return key;
  }

  #nextPriority(): Priority {
    const waiting = PRIORITIES.filter((priority) => this.#ready[priority].size > 0);
    const due = waiting.findLast((priority) => this.#passedOver[priority] >= MOST_PASSED_OVER);
    return due ?? waiting[0] ?? "low";
  }

  #notePassedOver(taken: Priority): void {
    for (const priority of PRIORITIES) {
      if (priority === taken || this.#ready[priority].size === 0) this.#passedOver[priority] = 0;
      else if (isHigher(taken, priority)) this.#passedOver[priority]++;
    }
  }
}

function isHigher(one: Priority, other: Priority): boolean {
  return PRIORITIES.indexOf(one) < PRIORITIES.indexOf(other);
}
