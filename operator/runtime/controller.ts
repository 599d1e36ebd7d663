import type { Clock } from "./clock.ts";
import { ApiStatusError, isServerTrouble, LeadershipLostError, StaleError, TerminalError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { ReconcileResult, RuntimeMetrics } from "./metrics.ts";
import type { RetryLimits, WorkQueue } from "./work-queue.ts";

/** What a pass over one key wants next: to be called again after a while, or only when something changes. */
export interface PassResult {
  readonly afterMs?: number | undefined;
  /** For the pass's log line; a pass that says nothing did nothing. */
  readonly facts?: object | undefined;
}

export interface ControllerSettings {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: (key: string) => Promise<PassResult>;
  readonly workers: number;
  readonly metrics: Pick<RuntimeMetrics, "reconciled" | "workers">;
  readonly clock: Clock;
  readonly log: Log;
}

const SERVER_TROUBLE_MAX_MS = 3000;

/** Works on the queue's keys until the queue is closed. One log line a pass, for those that did something. */
export async function runController(settings: ControllerSettings): Promise<void> {
  settings.metrics.workers(settings.name, settings.workers);
  await Promise.all(Array.from({ length: settings.workers }, () => work(settings)));
}

async function work(settings: ControllerSettings): Promise<void> {
  const { queue } = settings;
  for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
    await pass(settings, key);
    queue.done(key);
  }
}

async function pass(settings: ControllerSettings, key: string): Promise<void> {
  const { name, queue, metrics, clock, log } = settings;
  const startedMs = clock.monotonicMs();
  let result: ReconcileResult = "success";
  try {
    const { afterMs, facts } = await settings.reconcile(key);
    queue.forget(key);
    if (afterMs !== undefined) {
      queue.addAfter(key, afterMs);
      result = "requeue_after";
    }
    if (facts) log.info({ key, ...facts, ms: Math.round(clock.monotonicMs() - startedMs) }, "reconciled");
  } catch (error) {
    result = recover(settings, key, error);
  }
  metrics.reconciled(name, result, (clock.monotonicMs() - startedMs) / 1000);
}

function recover({ queue, log }: ControllerSettings, key: string, error: unknown): ReconcileResult {
  if (error instanceof StaleError || error instanceof LeadershipLostError) {
    log.debug({ key, error }, "acted on an old read");
    queue.retry(key);
    return "stale";
  }
  if (error instanceof TerminalError) {
    log.error({ key, error }, "pass failed for good");
    queue.forget(key);
    return "terminal_error";
  }
  const waitMs = queue.retry(key, retryLimits(error));
  log.warn({ key, error, waitMs: Math.round(waitMs) }, "pass failed");
  return "error";
}

/**
 * When the API server is away, every key fails and its back-off grows; when it is back, all must be seen to soon.
 * An overloaded one says when it wants to be asked again.
 */
function retryLimits(error: unknown): RetryLimits {
  if (!isServerTrouble(error)) return {};
  const minMs = error instanceof ApiStatusError ? error.retryAfterMs : undefined;
  return { minMs, maxMs: SERVER_TROUBLE_MAX_MS };
}
