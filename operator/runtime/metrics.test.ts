import { expect, it } from "vitest";
import { createRuntimeMetrics } from "./metrics.ts";
import { silentLog } from "./testing.ts";

it("tells what happens under the names that dashboards know", async () => {
  const metrics = createRuntimeMetrics();
  const queue = metrics.queue("thing");
  queue.opened(() => [2, 0.5]);
  queue.added();
  queue.depth(3);
  queue.retried();
  queue.started(0.2);
  queue.finished(0.1);
  metrics.reconciled("thing", "success", 0.1);
  metrics.reconciled("thing", "error", 0.1);
  metrics.client.requested({ verb: "patch", code: "409", resource: "pods", seconds: 0.01 });
  const reflector = metrics.reflector("pods", silentLog);
  reflector.listed({ objects: 7, seconds: 0.1 });
  reflector.restarted({ why: "expired", waitMs: 10 });
  reflector.skipped({ key: "n/a", error: new Error("odd") });
  metrics.reconciled("thing", "terminal_error", 0.1);
  metrics.workers("thing", 8);
  metrics.leading("lease", true);
  const lines = (await metrics.registry.metrics()).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'workqueue_depth{name="thing",controller="thing"} 3',
      'workqueue_adds_total{name="thing",controller="thing"} 1',
      'workqueue_retries_total{name="thing",controller="thing"} 1',
      'workqueue_queue_duration_seconds_count{name="thing",controller="thing"} 1',
      'workqueue_work_duration_seconds_count{name="thing",controller="thing"} 1',
      'workqueue_unfinished_work_seconds{name="thing",controller="thing"} 2.5',
      'workqueue_longest_running_processor_seconds{name="thing",controller="thing"} 2',
      'controller_runtime_active_workers{controller="thing"} 2',
      'controller_runtime_max_concurrent_reconciles{controller="thing"} 8',
      'controller_runtime_terminal_reconcile_errors_total{controller="thing"} 1',
      'controller_runtime_reconcile_total{controller="thing",result="success"} 1',
      'controller_runtime_reconcile_total{controller="thing",result="error"} 1',
      'controller_runtime_reconcile_errors_total{controller="thing"} 2',
      'controller_runtime_reconcile_time_seconds_count{controller="thing"} 3',
      'rest_client_requests_total{verb="patch",code="409",resource="pods"} 1',
      'rest_client_request_duration_seconds_count{verb="patch"} 1',
      'reflector_watch_restarts_total{resource="pods",reason="expired"} 1',
      'reflector_listed_objects{resource="pods"} 7',
      'reflector_skipped_objects_total{resource="pods"} 1',
      'leader_election_master_status{name="lease"} 1',
    ]),
  );
});
