import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ClientObserver } from "./api-client.ts";
import type { ReflectorObserver } from "./reflector.ts";
import type { Log } from "./log.ts";
import type { QueueObserver } from "./work-queue.ts";

/** The measures that every controller has, under the names and labels that dashboards for controller-runtime know. */
export interface RuntimeMetrics {
  readonly registry: Registry;
  readonly client: ClientObserver;
  queue(name: string): QueueObserver;
  reflector(resource: string, log: Log): ReflectorObserver;
  reconciled(controller: string, result: ReconcileResult, seconds: number): void;
  /** How many keys a controller works on at the same time at most. */
  workers(controller: string, count: number): void;
  leading(lease: string, isLeading: boolean): void;
}

export type ReconcileResult = "success" | "requeue_after" | "stale" | "error" | "terminal_error";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createRuntimeMetrics(): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[], collect?: () => void) =>
    new Gauge({ name, help, labelNames, registers, ...(collect && { collect }) });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets: SECONDS, registers });

  const ofQueue: ("name" | "controller")[] = ["name", "controller"];
  const depth = gauge("workqueue_depth", "Keys waiting to be worked on.", ofQueue);
  const adds = counter("workqueue_adds_total", "Adds to the queue.", ofQueue);
  const retries = counter("workqueue_retries_total", "Keys added again after a failure.", ofQueue);
  const waited = histogram("workqueue_queue_duration_seconds", "Wait of a key for its work.", ofQueue);
  const worked = histogram("workqueue_work_duration_seconds", "Work on a key.", ofQueue);
  /** By queue: for how many seconds each key in hand has been worked on. Asked when the measures are. */
  const inHand = new Map<string, () => readonly number[]>();
  const eachInHand = (tell: (name: string, seconds: readonly number[]) => void) => () => {
    for (const [name, seconds] of inHand) tell(name, seconds());
  };
  const unfinished = gauge(
    "workqueue_unfinished_work_seconds",
    "Work on the keys in hand so far, together: grows while workers are stuck.",
    ofQueue,
    eachInHand((name, seconds) =>
      unfinished.set(
        labelsOf(name),
        seconds.reduce((sum, one) => sum + one, 0),
      ),
    ),
  );
  const longest = gauge(
    "workqueue_longest_running_processor_seconds",
    "Work so far on the key that has been in hand the longest.",
    ofQueue,
    eachInHand((name, seconds) => longest.set(labelsOf(name), Math.max(0, ...seconds))),
  );
  const active = gauge(
    "controller_runtime_active_workers",
    "Workers that have a key in hand.",
    ["controller"],
    eachInHand((controller, seconds) => active.set({ controller }, seconds.length)),
  );
  const workers = gauge("controller_runtime_max_concurrent_reconciles", "Workers.", ["controller"]);
  const reconciles = counter("controller_runtime_reconcile_total", "Passes.", ["controller", "result"]);
  const errors = counter("controller_runtime_reconcile_errors_total", "Failed passes.", ["controller"]);
  const terminal = counter(
    "controller_runtime_terminal_reconcile_errors_total",
    "Passes that failed for good.",
    ["controller"],
  );
  const times = histogram("controller_runtime_reconcile_time_seconds", "Time of a pass.", ["controller"]);
  const requests = counter("rest_client_requests_total", "Requests to the API server.", [
    "verb",
    "code",
    "resource",
  ]);
  const latency = histogram("rest_client_request_duration_seconds", "Time of a request.", ["verb"]);
  const restarts = counter("reflector_watch_restarts_total", "Watches begun anew.", ["resource", "reason"]);
  const listed = gauge("reflector_listed_objects", "Objects in the last list.", ["resource"]);
  const skipped = counter("reflector_skipped_objects_total", "Objects that could not be read.", ["resource"]);
  const leader = gauge("leader_election_master_status", "1 while this process leads.", ["name"]);

  return {
    registry,
    client: {
      requested({ verb, code, resource, seconds }) {
        requests.inc({ verb, code, resource });
        latency.observe({ verb }, seconds);
      },
    },
    queue(name) {
      const labels = labelsOf(name);
      return {
        opened: (workedSeconds) => inHand.set(name, workedSeconds),
        added: () => adds.inc(labels),
        depth: (length) => depth.set(labels, length),
        retried: () => retries.inc(labels),
        started: (seconds) => waited.observe(labels, seconds),
        finished: (seconds) => worked.observe(labels, seconds),
      };
    },
    reflector: (resource, log) => ({
      listed({ objects, seconds }) {
        listed.set({ resource }, objects);
        log.info({ resource, objects, seconds }, "listed");
      },
      restarted({ why, error, waitMs }) {
        restarts.inc({ resource, reason: why });
        const facts = { resource, why, waitMs: Math.round(waitMs), ...(error !== undefined && { error }) };
        if (why === "closed") log.debug(facts, "watch restarted");
        else log.warn(facts, "watch restarted");
      },
      skipped({ key, error }) {
        skipped.inc({ resource });
        log.error({ resource, key, error }, "object skipped: it cannot be read");
      },
    }),
    reconciled(controller, result, seconds) {
      reconciles.inc({ controller, result });
      times.observe({ controller }, seconds);
      if (result === "error" || result === "terminal_error") errors.inc({ controller });
      if (result === "terminal_error") terminal.inc({ controller });
    },
    workers: (controller, count) => workers.set({ controller }, count),
    leading: (name, isLeading) => leader.set({ name }, isLeading ? 1 : 0),
  };
}

/** A queue is its controller's. */
function labelsOf(name: string): { name: string; controller: string } {
  return { name, controller: name };
}
