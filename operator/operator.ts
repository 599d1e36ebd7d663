/**
 * Wires the parts: caches fill from the start, so a standby is warm; passes run only while this process leads,
 * and every write first asks whether it still does.
 */
import { API_VERSION } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { createCaches, createReflectors } from "./cluster/caches.ts";
import { feed } from "./cluster/feed.ts";
import { createKubernetesPort } from "./cluster/kubernetes-port.ts";
import { createMemory } from "./cluster/memory.ts";
import { pass } from "./cluster/pass.ts";
import { createPlanner } from "./cluster/planner.ts";
import { resourcesIn } from "./cluster/resources.ts";
import { look } from "./cluster/sights.ts";
import type { Config } from "./config.ts";
import type { Note } from "./reconcile/event-notes.ts";
import { createApiClient } from "./runtime/api-client.ts";
import type { Clock } from "./runtime/clock.ts";
import { runController } from "./runtime/controller.ts";
import { createEventRecorder } from "./runtime/events.ts";
import type { KubeHttp } from "./runtime/kube-http.ts";
import { createElection } from "./runtime/leader-election.ts";
import type { Log } from "./runtime/log.ts";
import type { RuntimeMetrics } from "./runtime/metrics.ts";
import { createTokenBucket } from "./runtime/token-bucket.ts";
import { createWorkQueue, type WorkQueue } from "./runtime/work-queue.ts";

export interface OperatorDeps {
  readonly http: KubeHttp;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  /** Unique to this process. */
  readonly identity: string;
  /** This process leads and has begun to work. */
  readonly onLeading: () => void;
}

export interface Operator {
  /** Runs until the signal is aborted; what has been begun is finished and the lease given back. */
  run(signal: AbortSignal): Promise<void>;
  /** What is missing before it can do its work, in words. */
  notReady(): readonly string[];
}

const CONTROLLER = "opaljob";
const RETRY_BACKOFF = { baseMs: 50, maxMs: 30_000 };
const EVENT_WINDOW_SECONDS = 600;
const EVENT_COUNT_SECONDS = 60;

export function createOperator(config: Config, deps: OperatorDeps): Operator {
  const { http, clock, random, log, metrics, identity, onLeading } = deps;
  const resources = resourcesIn(config.namespace);
  const open = createApiClient({ http, gate: () => Promise.resolve(undefined), observer: metrics.client });
  const election = createElection(
    { resource: resources.leases, identity, ...config.lease },
    { client: open, clock, log },
  );
  const bucket = createTokenBucket(config.writes, clock);
  const client = createApiClient({
    http,
    observer: metrics.client,
    gate: async () => {
      await bucket.take();
      election.assertHeld();
      return election.writeSignal;
    },
  });

  const caches = createCaches();
  const memory = createMemory();
  const nowMs = () => clock.now().getTime();
  let queue: WorkQueue | undefined;
  const planner = createPlanner({
    pool: config.pool,
    look: (key) => look(key, caches, memory, { settings: config, nowMs: nowMs() }),
    onChanged: (key) => queue?.add(key),
    onUnreadable: (key, error) => log.error({ key, error }, "OpalJob left out: it cannot be looked at"),
    onMoved: (key) => queue?.addAfter(key, config.backgroundIntervalSeconds * 1000),
    nowMs,
  });
  feed(caches, memory, {
    nowMs,
    onChanged(key) {
      planner.invalidate(key);
      queue?.add(key);
    },
  });
  const reflectors = createReflectors(caches, resources, {
    client: open,
    clock,
    random,
    log,
    metrics,
    staleSeconds: config.staleWatchSeconds,
  });
  const port = createKubernetesPort(client, caches);

  async function lead(signal: AbortSignal): Promise<void> {
    await Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced)), aborted(signal)]);
    if (signal.aborted) return;
    const recorder = createEventRecorder({
      client,
      clock,
      log,
      controller: "opal.dev/operator",
      instance: identity,
      windowSeconds: EVENT_WINDOW_SECONDS,
      countSeconds: EVENT_COUNT_SECONDS,
    });
    const term = createWorkQueue({
      clock,
      random,
      backoff: RETRY_BACKOFF,
      observer: metrics.queue(CONTROLLER),
    });
    queue = term;
    for (const key of planner.keys) term.add(key, "low");
    metrics.leading(true);
    onLeading();
    const passDeps = {
      planner,
      memory,
      port,
      settings: config,
      now: () => clock.now(),
      record: (job: OpalJob, note: Note) => {
        const { namespace, name, uid } = job.metadata;
        recorder.record({ apiVersion: API_VERSION, kind: "OpalJob", namespace, name, uid }, note);
      },
    };
    const working = runController({
      name: CONTROLLER,
      queue: term,
      reconcile: (key) => pass(key, passDeps),
      workers: config.workers,
      metrics,
      clock,
      log,
    });
    await aborted(signal);
    metrics.leading(false);
    queue = undefined;
    await term.close();
    await working;
    await recorder.close();
  }

  return {
    async run(signal) {
      // Caches outlive leading by a little: what is being finished still needs them.
      const watching = new AbortController();
      const filling = reflectors.map((reflector) => reflector.run(watching.signal));
      await election.run(lead, signal);
      watching.abort();
      await Promise.all(filling);
    },
    notReady: () => (reflectors.every((reflector) => reflector.isSynced) ? [] : ["caches are being filled"]),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
