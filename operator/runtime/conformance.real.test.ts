/**
 * The runtime on a real API server that is let down in every known way. Two replicas of a small controller work behind
 * a fault-injecting proxy while somebody changes parents as fast as it goes; after each fault all must be as it should
 * be within 5 s: one child for each parent with its value, and both replicas' caches equal to the server's objects.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, startTestCluster } from "../../hack/dev-cluster/testing.ts";
import { type ChangeStorm, createChangeStorm } from "../../hack/faults/change-storm.ts";
import { differences } from "../../hack/faults/differences.ts";
import type { Exchange } from "../../hack/faults/exchange.ts";
import { type Fault, only } from "../../hack/faults/fault.ts";
import { type FaultProxy, startFaultProxy } from "../../hack/faults/fault-proxy.ts";
import {
  conflicts,
  duplicatedEvents,
  expiredWatches,
  halfOpenStall,
  lostAnswers,
  outage,
  resetMidFrame,
  serverErrors,
  slowReads,
  throttled,
  truncatedEvents,
} from "../../hack/faults/faults.ts";
import { LEASE_SECONDS, type Replica, startReplica } from "../../hack/faults/replica.ts";
import { createSeededRandom } from "../../hack/faults/seeded-random.ts";
import { createShiftedClock, type ShiftedClock } from "../../hack/faults/shifted-clock.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { systemClock } from "./clock.ts";
import { loadClusterAccess } from "./cluster-access.ts";
import { createEventRecorder } from "./events.ts";
import { createKubeHttp, type KubeHttp } from "./kube-http.ts";
import { silentLog } from "./testing.ts";

const NAMESPACE = "conformance";
const PARENTS = 120;
const HANDS = 4;
const CHANGES = 10_000;
const CONVERGED_SECONDS = 5;
const SHORT_SECONDS = 2;
/** Longer than a silent watch is trusted, so that it is found dead while the stall lasts. */
const STALL_SECONDS = 4;
const OUTAGE_SECONDS = Number(process.env["OPAL_OUTAGE_SECONDS"] ?? 10);
const TAKEOVER_SECONDS = LEASE_SECONDS.durationSeconds + 2;

const random = createSeededRandom(4);
const rejections: unknown[] = [];
const noteRejection = (reason: unknown) => rejections.push(reason);

let cluster: Cluster;
let http: KubeHttp;
let direct: ApiClient;
let proxy: FaultProxy;
let storm: ChangeStorm;
let clocks: readonly [ShiftedClock, ShiftedClock];
let replicas: Replica[];
let writers: string[];

beforeAll(async () => {
  process.on("unhandledRejection", noteRejection);
  cluster = await startTestCluster();
  void cluster.broken.then(noteRejection);
  const upstream = await loadClusterAccess({ kubeconfig: cluster.kubeconfig() });
  http = createKubeHttp(upstream, "conformance");
  direct = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
  });
  await direct.create(
    { group: "", version: "v1", plural: "namespaces" },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
  );
  writers = [];
  const onPassed = ({ isWrite, client }: Exchange) => isWrite && writers.push(client);
  proxy = await startFaultProxy({ upstream, onPassed });
  clocks = [createShiftedClock(systemClock), createShiftedClock(systemClock)];
  replicas = [aReplica("replica-a", clocks[0]), aReplica("replica-b", clocks[1])];
  storm = createChangeStorm({ client: direct, namespace: NAMESPACE, parents: PARENTS, hands: HANDS, random });
  storm.resume();
  await leader();
});

afterAll(async () => {
  await storm.pause();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await proxy.close();
  http.close();
  await cluster.stop();
  process.off("unhandledRejection", noteRejection);
});

function aReplica(identity: string, clock: ShiftedClock): Replica {
  const { access } = proxy;
  return startReplica({ identity, namespace: NAMESPACE, access, clock, random, log: silentLog });
}

/** Looks again and again until `look` finds something. @throws {Error} after the deadline, with what was found last */
async function within<T>(seconds: number, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const untilMs = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > untilMs) throw new Error(`not within ${seconds} s`);
    await sleep(50);
  }
}

const leader = (not?: Replica) =>
  within(10, () => replicas.find((replica) => replica.isLeading && replica !== not));

/** @param endedMs since when nothing has been wrong any more; @returns how many seconds it took from there */
async function converged(endedMs: number): Promise<number> {
  await storm.pause();
  let last: readonly string[] = [];
  try {
    await within(CONVERGED_SECONDS - (performance.now() - endedMs) / 1000, async () => {
      last = await differences(direct, NAMESPACE, replicas);
      return last.length === 0 ? true : undefined;
    });
  } catch (error) {
    const states = replicas.map(
      ({ identity, isLeading, restarts }) =>
        `${identity} ${isLeading ? "leads" : "waits"}, ${restarts.join(" ")}`,
    );
    const words = [`${last.length} differences`, ...last.slice(0, 5), ...states];
    throw new Error(words.join("\n"), { cause: error });
  }
  return (performance.now() - endedMs) / 1000;
}

interface Ordeal {
  readonly name: string;
  readonly fault: () => Fault;
  readonly seconds: number;
}

const ordeals: readonly Ordeal[] = [
  {
    name: "connections reset mid-frame",
    fault: () => resetMidFrame({ share: 0.05, random }),
    seconds: SHORT_SECONDS,
  },
  { name: "a half-open stall", fault: halfOpenStall, seconds: STALL_SECONDS },
  { name: "410 on every watch", fault: expiredWatches, seconds: SHORT_SECONDS },
  { name: "429 with Retry-After", fault: () => throttled({ retryAfterSeconds: 1 }), seconds: SHORT_SECONDS },
  {
    name: "a storm of 500 and 503",
    fault: () => serverErrors({ share: 0.5, random }),
    seconds: 3 * SHORT_SECONDS,
  },
  { name: "5 % conflicts", fault: () => conflicts({ share: 0.05, random }), seconds: SHORT_SECONDS },
  {
    name: "lost answers to a tenth of the writes",
    fault: () => lostAnswers({ share: 0.1, random }),
    seconds: SHORT_SECONDS,
  },
  {
    name: "truncated watch events",
    fault: () => truncatedEvents({ share: 0.05, random }),
    seconds: SHORT_SECONDS,
  },
  { name: "duplicated watch events", fault: () => duplicatedEvents({ random }), seconds: SHORT_SECONDS },
  { name: "slow reads", fault: () => slowReads({ bytesPerSecond: 20_000 }), seconds: 2 * SHORT_SECONDS },
  {
    name: `a total outage of ${OUTAGE_SECONDS} s (OPAL_OUTAGE_SECONDS=60 for a long one)`,
    fault: outage,
    seconds: OUTAGE_SECONDS,
  },
];

describe("while objects keep changing, all is as it should be within 5 s of the end of", () => {
  it.for(ordeals)(
    "$name",
    { timeout: (OUTAGE_SECONDS + 30) * 1000 },
    async ({ fault, seconds }, { annotate }) => {
      storm.resume();
      const struck = fault();
      const lift = await proxy.inject(struck);
      await sleep(seconds * 1000);
      await lift();
      expect(proxy.strikes(struck.name), "strikes").toBeGreaterThan(0);
      await annotate(`converged in ${(await converged(performance.now())).toFixed(2)} s`);
    },
  );

  it.for(["etcd", "apiserver"])("a restart of %s by kill -9", async (component, { annotate }) => {
    storm.resume();
    await cluster.control("restart", component);
    await annotate(`converged in ${(await converged(performance.now())).toFixed(2)} s`);
  });

  it("clocks that jump apart by a minute", async () => {
    storm.resume();
    const before = await leader();
    [clocks[0].offsetMs, clocks[1].offsetMs] = [30_000, -30_000];
    await sleep(2 * LEASE_SECONDS.durationSeconds * 1000);
    expect((await leader()).identity).toBe(before.identity);
    await converged(performance.now());
    expect(replicas.filter((replica) => replica.isLeading)).toHaveLength(1);
  });
});

describe("leadership", () => {
  it("passes on within the lease's duration + 2 s when the leader is cut off, who then writes nothing more", async () => {
    storm.resume();
    const deposed = await leader();
    writers.length = 0;
    const isDeposed = ({ client }: Exchange) => client === deposed.identity;
    const lift = await proxy.inject(only(halfOpenStall(), isDeposed));
    const cutMs = performance.now();
    const next = await leader(deposed);
    const takenOverSeconds = (performance.now() - cutMs) / 1000;
    await within(2, () => (writers.includes(next.identity) ? true : undefined));
    await lift();
    await converged(performance.now());
    expect(takenOverSeconds).toBeLessThan(TAKEOVER_SECONDS);
    expect(deposed.isLeading).toBe(false);
    expect(writers.slice(writers.indexOf(next.identity))).not.toContain(deposed.identity);
  });

  it("passes on at once when the leader stops in order, and nothing is lost", async () => {
    storm.resume();
    const stopped = await leader();
    const [standby] = replicas.filter((replica) => replica !== stopped);
    replicas = standby ? [standby] : [];
    const beganMs = performance.now();
    await stopped.stop();
    await leader();
    expect((performance.now() - beganMs) / 1000).toBeLessThan(2);
    replicas.push(aReplica(`${stopped.identity}-again`, clocks[0]));
    await Promise.all(replicas.map((replica) => replica.synced));
    await converged(performance.now());
  });
});

it("events are taken by the API server as they are written: combined, counted and cut", async () => {
  const recorder = createEventRecorder({
    client: direct,
    clock: systemClock,
    log: silentLog,
    controller: "faults.opal.dev/replica",
    instance: "i".repeat(200),
    windowSeconds: 600,
    countSeconds: 60,
  });
  const regarding = {
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: NAMESPACE,
    name: "p".repeat(250),
    uid: "u",
  };
  for (let n = 0; n < 15; n++) {
    const note = { type: "Warning", reason: "Odd", action: "Look", note: `${n} ${"ü".repeat(600)}` } as const;
    recorder.record(regarding, note);
  }
  await recorder.close();
  const { items } = await direct.list(
    { group: "events.k8s.io", version: "v1", plural: "events", namespace: NAMESPACE },
    {},
  );
  const ours = (items as { regarding: { uid?: string }; series?: { count: number } }[]).filter(
    (event) => event.regarding.uid === "u",
  );
  expect(ours).toHaveLength(11);
  expect(ours.flatMap(({ series }) => series?.count ?? [])).toEqual([5]);
});

it(
  "misses nothing in 10,000 changes while faults come and go",
  { timeout: 120_000 },
  async ({ annotate }) => {
    storm.resume();
    const quick = ordeals.filter(({ seconds }) => seconds <= SHORT_SECONDS);
    await annotate(`${storm.changes} changes before`);
    for (let n = 0; storm.changes < CHANGES; n++) {
      const ordeal = quick[n % quick.length];
      const lift = ordeal ? await proxy.inject(ordeal.fault()) : async () => {};
      await sleep(300 + random() * 700);
      await lift();
    }
    await annotate(
      `converged in ${(await converged(performance.now())).toFixed(2)} s after ${storm.changes} changes`,
    );
    expect(storm.changes).toBeGreaterThanOrEqual(CHANGES);
  },
);

it("no rejection went unhandled, and the cluster is still there", () => {
  expect(rejections).toEqual([]);
});
