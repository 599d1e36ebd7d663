/**
 * A small controller made of the operator's runtime and nothing else, to be put behind faults. Replicas elect a leader;
 * all of them keep their caches full. It is wired as operator/operator.ts is, and knows families instead of OpalJobs.
 */
import { type ApiClient, createApiClient, type Resource } from "../../operator/runtime/api-client.ts";
import type { Clock } from "../../operator/runtime/clock.ts";
import type { ClusterAccess } from "../../operator/runtime/cluster-access.ts";
import { type PassResult, runController } from "../../operator/runtime/controller.ts";
import { isStatus, StaleError } from "../../operator/runtime/errors.ts";
import { createKubeHttp } from "../../operator/runtime/kube-http.ts";
import { createElection, patienceMs } from "../../operator/runtime/leader-election.ts";
import type { Log } from "../../operator/runtime/log.ts";
import { createRuntimeMetrics } from "../../operator/runtime/metrics.ts";
import { createReflector, type RestartReason, toEntry } from "../../operator/runtime/reflector.ts";
import { type Change, Store } from "../../operator/runtime/store.ts";
import { createTokenBucket } from "../../operator/runtime/token-bucket.ts";
import { createWorkQueue, type WorkQueue } from "../../operator/runtime/work-queue.ts";
import {
  type Child,
  CHILDREN,
  childManifest,
  configMapsIn,
  type Member,
  nextStep,
  PARENTS,
  type Step,
  toChild,
  toMember,
} from "./family.ts";

export interface ReplicaSettings {
  /** Unique; also its User-Agent. */
  readonly identity: string;
  readonly namespace: string;
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface Replica {
  readonly identity: string;
  readonly parents: Store<Member>;
  readonly children: Store<Child, "parent">;
  readonly isLeading: boolean;
  /** Resolves when its caches have been filled once. */
  readonly synced: Promise<unknown>;
  /** Why watches were begun anew, one after another. */
  readonly restarts: readonly RestartReason[];
  /** Stops in order: what is in hand is finished, the lease given back. */
  stop(): Promise<void>;
}

export const LEASE_SECONDS = { durationSeconds: 4, renewSeconds: 3, retrySeconds: 0.5 };
/** A watch on which nothing comes for so long is dead: in these families there is always something new. */
const STALE_MS = 2500;
const WATCH_BACKOFF = { baseMs: 200, maxMs: 3000 };
const KEY_BACKOFF = { baseMs: 50, maxMs: 30_000 };
const WRITES = { perSecond: 500, burst: 500 };
const WORKERS = 8;

export function startReplica(settings: ReplicaSettings): Replica {
  const { identity, namespace, access, clock, random, log } = settings;
  const http = createKubeHttp(access, identity);
  const metrics = createRuntimeMetrics();
  const observer = metrics.client;
  const ungated = { http, gate: () => Promise.resolve(undefined), observer };
  const open = createApiClient(ungated);
  const leases: Resource = { group: "coordination.k8s.io", version: "v1", plural: "leases", namespace };
  const election = createElection(
    { resource: leases, name: "replicas", identity, ...LEASE_SECONDS },
    { client: createApiClient({ ...ungated, timeoutMs: patienceMs(LEASE_SECONDS) }), clock, log },
  );
  const bucket = createTokenBucket(WRITES, clock);
  const client = createApiClient({
    http,
    observer,
    gate: async () => {
      await bucket.take();
      return election.permit();
    },
  });

  const parents = new Store<Member>({});
  const children = new Store<Child, "parent">({ parent: (child) => [child.parentName] });
  const configMaps = configMapsIn(namespace);
  const restarts: RestartReason[] = [];
  let queue: WorkQueue | undefined;
  const enqueue = (name: string, { from }: Pick<Change<unknown>, "from">) =>
    queue?.add(name, from === "list" ? "low" : "high");
  parents.onChange((change) => enqueue((change.after ?? change.before)?.name ?? "", change));
  children.onChange((change) => enqueue((change.after ?? change.before)?.parentName ?? "", change));

  const reflect = <T>(
    labelSelector: string,
    target: Parameters<typeof createReflector<T>>[0]["target"],
    transform: (raw: unknown) => T,
  ) =>
    createReflector<T>({
      source: {
        list: (page, signal) => open.list(configMaps, { labelSelector, ...page }, signal),
        watch: (from) => open.watch(configMaps, { labelSelector, ...from }),
      },
      target,
      transform,
      observer: {
        listed() {},
        restarted: ({ why }) => restarts.push(why),
        skipped: (facts) => log.error(facts, "skipped"),
      },
      clock,
      random,
      backoff: WATCH_BACKOFF,
      staleMs: STALE_MS,
      // Small, so that lists have several pages.
      pageLimit: 50,
    });
  const reflectors = [reflect(PARENTS, parents, toMember), reflect(CHILDREN, children, toChild)];
  const synced = Promise.all(reflectors.map((reflector) => reflector.synced));

  async function reconcile(name: string): Promise<PassResult> {
    const parent = parents.get(`${namespace}/${name}`);
    await carryOut(nextStep(parent, children.by("parent", name)), { client, configMaps, children });
    return {};
  }

  async function lead(signal: AbortSignal): Promise<void> {
    await Promise.race([synced, aborted(signal)]);
    if (signal.aborted) return;
    const term = createWorkQueue({ clock, random, backoff: KEY_BACKOFF });
    queue = term;
    for (const { name } of parents.values()) term.add(name, "low");
    for (const { parentName } of children.values()) term.add(parentName, "low");
    const working = runController({
      name: "family",
      queue: term,
      reconcile,
      workers: WORKERS,
      metrics,
      clock,
      log,
    });
    await aborted(signal);
    queue = undefined;
    await term.close();
    await working;
  }

  const stop = new AbortController();
  const watching = new AbortController();
  const filling = reflectors.map((reflector) => reflector.run(watching.signal));
  const running = election.run(lead, stop.signal);
  return {
    identity,
    parents,
    children,
    get isLeading() {
      return election.isHeld;
    },
    synced,
    restarts,
    async stop() {
      stop.abort();
      await running;
      watching.abort();
      await Promise.all(filling);
      http.close();
    },
  };
}

async function carryOut(
  step: Step,
  {
    client,
    configMaps,
    children,
  }: { client: ApiClient; configMaps: Resource; children: Pick<Store<Child>, "written"> },
): Promise<void> {
  const note = (raw: unknown) => children.written(toEntry(raw, toChild));
  try {
    switch (step.do) {
      case "nothing":
        return;
      case "create":
        return note(await client.create(configMaps, childManifest(step.parent)));
      case "update": {
        const { name, uid, resourceVersion } = step.child;
        const patch = { metadata: { uid, resourceVersion }, data: { value: step.value } };
        return note(await client.patch(configMaps, name, patch));
      }
      case "delete":
        return await client.delete(configMaps, step.child.name, { uid: step.child.uid });
      default:
        return step satisfies never;
    }
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, 409))
      throw new StaleError("the child has changed", { cause: error });
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
