import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ClientObserver } from "./api-client.ts";
import type { ReflectorObserver } from "./reflector.ts";
import type { Log } from "./log.ts";
import type { QueueObserver } from "./work-queue.ts";

/** The measures that every controller has, under the names that dashboards for controller-runtime know. */
export interface RuntimeMetrics {
  readonly registry: Registry;
  readonly client: ClientObserver;
  queue(name: string): QueueObserver;
  reflector(resource: string, log: Log): ReflectorObserver;
  reconciled(controller: string, result: ReconcileResult, seconds: number): void;
  leading(isLeading: boolean): void;
}

export type ReconcileResult = "success" | "requeue_after" | "stale" | "error" | "terminal_error";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createRuntimeMetrics(): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets: SECONDS, registers });

  const depth = gauge("workqueue_depth", "Keys waiting to be worked on.", ["name"]);
  const adds = counter("workqueue_adds_total", "Adds to the queue.", ["name"]);
  const retries = counter("workqueue_retries_total", "Keys added again after a failure.", ["name"]);
  const waited = histogram("workqueue_queue_duration_seconds", "Wait of a key for its work.", ["name"]);
  const worked = histogram("workqueue_work_duration_seconds", "Work on a key.", ["name"]);
  const reconciles = counter("controller_runtime_reconcile_total", "Passes.", ["controller", "result"]);
  const errors = counter("controller_runtime_reconcile_errors_total", "Failed passes.", ["controller"]);
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
  const leader = gauge("leader_election_master_status", "1 while this process leads.", []);

  return {
    registry,
    client: {
      requested({ verb, code, resource, seconds }) {
        requests.inc({ verb, code, resource });
        latency.observe({ verb }, seconds);
      },
    },
    queue: (name) => ({
      added: () => adds.inc({ name }),
      depth: (length) => depth.set({ name }, length),
      retried: () => retries.inc({ name }),
      started: (seconds) => waited.observe({ name }, seconds),
      finished: (seconds) => worked.observe({ name }, seconds),
    }),
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
    },
    leading: (isLeading) => leader.set(isLeading ? 1 : 0),
  };
}
