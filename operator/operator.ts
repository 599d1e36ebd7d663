/**
 * Wires the parts: caches fill from the start, so a standby is warm; passes run only while this process leads,
 * and every write first asks whether it still does.
 */
import { API_VERSION } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { createCaches, createReflectors } from "./cluster/caches.ts";
import { createEventReader } from "./cluster/event-reader.ts";
import { feed } from "./cluster/feed.ts";
import { createKubernetesPort } from "./cluster/kubernetes-port.ts";
import { createMemory } from "./cluster/memory.ts";
import { pass } from "./cluster/pass.ts";
import { createPlanner } from "./cluster/planner.ts";
import { resourcesIn } from "./cluster/resources.ts";
import { look } from "./cluster/sights.ts";
import { runStatusRounds } from "./cluster/status-rounds.ts";
import { writeStatuses } from "./cluster/status-writer.ts";
import type { Config } from "./config.ts";
import { createTroubleTeller } from "./plan-trouble.ts";
import type { Note } from "./reconcile/event-notes.ts";
import { createApiClient } from "./runtime/api-client.ts";
import type { Clock } from "./runtime/clock.ts";
import { runController } from "./runtime/controller.ts";
import { createEventRecorder } from "./runtime/events.ts";
import type { KubeHttp } from "./runtime/kube-http.ts";
import { createElection, patienceMs } from "./runtime/leader-election.ts";
import type { Log } from "./runtime/log.ts";
import type { RuntimeMetrics } from "./runtime/metrics.ts";
import { createTokenBucket } from "./runtime/token-bucket.ts";
import { createTurnLine } from "./runtime/turn-line.ts";
import type { Plan } from "./schedule/plan.ts";
import type { World } from "./schedule/world.ts";
import { createWorkQueue, type WorkQueue } from "./runtime/work-queue.ts";

export interface OperatorDeps {
  readonly http: KubeHttp;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: RuntimeMetrics;
  /** Unique to this process. */
  readonly identity: string;
  /** Told of every plan with what it was made from. */
  readonly record?: (world: World, plan: Plan) => void;
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
/** Many changes at once are planned together. */
const PLAN_INTERVAL_MS = 50;
/** Timers of weeks would overflow; one that ends early finds nothing due. */
const LONGEST_TIMER_MS = 3_600_000;

export function createOperator(config: Config, deps: OperatorDeps): Operator {
  const { http, clock, random, log, metrics, identity, onLeading } = deps;
  const resources = resourcesIn(config.namespace);
  const ungated = { http, gate: () => Promise.resolve(undefined), observer: metrics.client };
  const open = createApiClient(ungated);
  const election = createElection(
    { resource: resources.leases, identity, ...config.lease },
    { client: createApiClient({ ...ungated, timeoutMs: patienceMs(config.lease) }), clock, log },
  );
  const bucket = createTokenBucket(config.writes, clock);
  const client = createApiClient({
    http,
    observer: metrics.client,
    gate: async () => {
      await bucket.take();
      return election.permit();
    },
  });

  const caches = createCaches();
  const memory = createMemory();
  const nowMs = () => clock.now().getTime();
  let queue: WorkQueue | undefined;
  let planning: { readonly dueMs: number; readonly cancel: () => void } | undefined;
  const planner = createPlanner({
    caches,
    memory,
    settings: config.schedule,
    shardSize: config.shardSize,
    minIntervalMs: PLAN_INTERVAL_MS,
    look: (key) => look(key, caches, memory, { settings: config, nowMs: nowMs() }),
    onChanged: (key, { hasGpus }) => queue?.add(key, hasGpus ? "urgent" : "high"),
    onUnreadable: (key, error) => log.error({ key, error }, "OpalJob left out: it cannot be looked at"),
    onTrouble: createTroubleTeller(metrics.registry, log),
    onDue: planSoon,
    record: deps.record,
    onMoved(key, { isNearHead }) {
      const { statusIntervalSeconds, backgroundIntervalSeconds } = config;
      // Not at once: where jobs are short it has started by then, and that is written anyway.
      queue?.addAfter(key, (isNearHead ? statusIntervalSeconds : backgroundIntervalSeconds) * 1000);
    },
    clock,
  });
  feed(caches, memory, {
    nowMs,
    onChanged(key, priority) {
      planner.invalidate(key);
      queue?.add(key, priority);
    },
    onWorldChanged() {
      planner.invalidateAll();
      planSoon(0);
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
  const events = createEventReader({
    client: open,
    patienceSeconds: config.standstillSeconds,
    onUnread: (error) => log.warn({ error }, "events cannot be read"),
  });

  /** Time alone changes plans too: a stock-out is over, a budget's window ends. Only a leader plans. */
  function planSoon(afterMs: number): void {
    if (planning && planning.dueMs <= clock.monotonicMs() + afterMs) return;
    planning?.cancel();
    const cancel = clock.setTimer(Math.min(afterMs, LONGEST_TIMER_MS), () => {
      planning = undefined;
      if (queue && !config.kueue) planner.replan();
    });
    planning = { dueMs: clock.monotonicMs() + afterMs, cancel };
  }

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
    const turns = createTurnLine({
      ...config.waitingStatuses,
      clock,
      onTurn: (key) => term.add(key, "low"),
    });
    // Before there is a queue: the first plan concerns every job, and none of them was changed by somebody.
    if (!config.kueue) planner.replan();
    queue = term;
    for (const key of planner.keys) term.add(key, "low");
    for (const { metadata } of caches.unreadableOpalJobs.values()) {
      term.add(`${metadata.namespace}/${metadata.name}`, "low");
    }
    metrics.leading(config.lease.name, true);
    onLeading();
    planSoon(0);
    const passDeps = {
      planner,
      memory,
      port,
      events,
      turns,
      settings: config,
      pools: () => caches.gpuPools.values(),
      queue: (name: string) => caches.opalQueues.get(name),
      unreadable: (key: string) => caches.unreadableOpalJobs.get(key),
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
    const statuses = { caches, memory, port, settings: config.schedule, riders: planner.riders };
    const telling = runStatusRounds(
      {
        round: () => writeStatuses({ ...statuses, plan: () => planner.plan, now: () => clock.now() }),
        clock,
        log,
        intervalSeconds: config.poolStatusIntervalSeconds,
      },
      signal,
    );
    await aborted(signal);
    metrics.leading(config.lease.name, false);
    queue = undefined;
    turns.close();
    await term.close();
    await Promise.all([working, telling]);
    await recorder.close();
  }

  return {
    async run(signal) {
      metrics.leading(config.lease.name, false);
      // Caches outlive leading by a little: what is being finished still needs them.
      const watching = new AbortController();
      const filling = reflectors.map((reflector) => reflector.run(watching.signal));
      await election.run(lead, signal);
      planning?.cancel();
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
