import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { resourcesIn } from "./cluster/resources.ts";
import { isStatus } from "./runtime/errors.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  openTestCluster,
  photos,
  wordyBrand,
  type RunningOperator,
  startOperator,
  type TestCluster,
  type TestNamespace,
  verdictText,
} from "./testing.ts";

/** OpalJobs, Jobs, pods, ConfigMaps, pools, queues, nodes. */
const KINDS_WATCHED = 7;
/** The garbage collector takes up to 30 s to notice a new kind of owner. */
const COLLECTED_WITHIN_MS = 60_000;

let cluster: TestCluster;
let namespace: TestNamespace;
let hand: ReturnType<typeof createHand>;
const running: RunningOperator[] = [];

beforeAll(async () => {
  cluster = await openTestCluster();
});
afterAll(() => cluster.close());
afterEach(async () => {
  for (const operator of running.splice(0)) {
    operator.kill("SIGKILL");
    await operator.exited;
  }
  await namespace.remove();
});

async function aScene(): Promise<void> {
  namespace = await createTestNamespace(cluster);
  hand = createHand(namespace);
}

async function anOperator(changes: object = {}): Promise<RunningOperator & { port: number }> {
  const operator = startOperator(namespace, changes);
  running.push(operator);
  return { ...operator, ...(await operator.ready) };
}

const pods = (job: string, count: number) =>
  eventually(`${count} pods of ${job}`, async () => {
    const live = await hand.livePods(job);
    return live.length === count && live;
  });

const condition = (job: string, type: string, reason: string) =>
  eventually(`${type}=True ${reason} of ${job}`, async () => {
    const { status } = await hand.opalJob(job);
    const found = status.conditions?.find((one) => one.type === type && one.status === "True");
    return found?.reason === reason && status;
  });

async function childJobs(): Promise<{ name: string; parallelism: number }[]> {
  const { items } = await namespace.client.list(resourcesIn(namespace.name).jobs, {});
  return (items as { metadata: { name: string }; spec: { parallelism: number } }[]).map(
    ({ metadata, spec }) => ({
      name: metadata.name,
      parallelism: spec.parallelism,
    }),
  );
}

/** Reasons of the operator's events. */
async function eventsOfOperator(): Promise<string[]> {
  const events = { group: "events.k8s.io", version: "v1", plural: "events", namespace: namespace.name };
  const { items } = await namespace.client.list(events, {});
  return (items as { reason: string; reportingController: string }[]).flatMap((event) =>
    event.reportingController === "opal.dev/operator" ? event.reason : [],
  );
}

/** Writes of the operator to the API server, its lease aside; `rounds` are the statuses of pools and queues. */
async function writesOf(port: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.matchAll(
    /^rest_client_requests_total\{verb="(create|patch|update|delete)",code="\d+",resource="([^"]+)"\} (\d+)$/gm,
  );
  const writes = [...lines].filter(([, , resource]) => resource !== "leases");
  const {
    "update gpupools/status": pools = 0,
    "update opalqueues/status": queues = 0,
    ...others
  } = Object.fromEntries(writes.map(([, verb, resource, count]) => [`${verb} ${resource}`, Number(count)]));
  return { ...others, rounds: Math.max(pools, queues) };
}

describe("an OpalJob", () => {
  it("becomes a Job, and comes back with its verdict in few writes", async () => {
    await aScene();
    const { port } = await anOperator();
    await hand.apply("one", { items: photos(1) });
    const [pod] = await pods("one", 1);
    await hand.start(pod!);
    await condition("one", "Running", "PodsRunning");
    await hand.end(pod!, EXIT_CODES.done, verdictText({ done: "0" }));
    const status = await condition("one", "Complete", "AllItemsDone");
    expect(status).toMatchObject({
      phase: "Complete",
      progress: "1/1",
      items: { total: 1, done: 1, failed: 0, pending: 0, running: 0 },
      attempts: 1,
    });
    const { rounds, ...writes } = await writesOf(port);
    // A round of statuses every few seconds, whatever the number of jobs.
    expect(rounds).toBeLessThanOrEqual(4);
    const { "update opaljobs/status": statuses, ...rest } = writes;
    expect(rest).toEqual({ "create jobs": 1, "create events": 1 });
    // Launched and running are one where the pod starts within the moment that both wait.
    expect([2, 3]).toContain(statuses);
    expect(await eventsOfOperator()).toEqual(["GpusAssigned"]);
  });

  it("is told nothing but its end when that comes at once, and its times are true all the same", async () => {
    await aScene();
    // Long enough for the busiest machine.
    const { port } = await anOperator({ settleSeconds: 30 });
    await hand.apply("short", { items: photos(1) });
    const [pod] = await pods("short", 1);
    await hand.start(pod!);
    await hand.end(pod!, EXIT_CODES.done, verdictText({ done: "0" }));
    const { conditions, startTime } = await condition("short", "Complete", "AllItemsDone");
    const { rounds: _, ...writes } = await writesOf(port);
    expect(writes).toEqual({ "create jobs": 1, "create events": 1, "update opaljobs/status": 1 });
    const since = (type: string) => conditions?.find((one) => one.type === type)?.lastTransitionTime ?? "";
    expect([startTime, since("Running"), since("Complete")].sort()).toEqual([
      startTime,
      since("Running"),
      since("Complete"),
    ]);
  });

  it("is tried again for what may succeed, and names what failed", async () => {
    await aScene();
    await anOperator();
    await hand.apply("again", { items: photos(3) });
    const [first] = await pods("again", 1);
    await hand.start(first!);
    const failed = [
      { index: 1, id: "item-1", class: "storage" as const, message: "the blob server was away" },
      { index: 2, id: "item-2", class: "bad-input" as const, message: "not a picture" },
    ];
    await hand.end(first!, EXIT_CODES.done, verdictText({ done: "0", failed }));
    const second = await eventually("a pod of the second attempt", async () =>
      (await hand.livePods("again")).find((pod) => pod.metadata.labels["opal.dev/attempt"] === "2"),
    );
    await hand.start(second);
    await hand.end(second, EXIT_CODES.done, verdictText({ done: "1" }));
    const status = await condition("again", "Complete", "SomeItemsFailed");
    expect(status).toMatchObject({
      attempts: 2,
      items: { done: 2, failed: 1 },
      failedItems: [{ id: "item-2", class: "bad-input", message: "not a picture" }],
    });
  });

  it("fails at once with the runner's words when the runner lacks its models", async () => {
    await aScene();
    await anOperator();
    await hand.apply("misfit", { items: photos(6), gpu: { maxGpus: 2 } });
    const [pod] = await pods("misfit", 2);
    await hand.start(pod!);
    const error = { class: "model" as const, message: "isnet.onnx: wrong checksum" };
    await hand.end(pod!, EXIT_CODES.modelMissing, verdictText({ error }));
    const status = await condition("misfit", "Failed", "RunnerMisconfigured");
    expect(status.items).toMatchObject({ failed: 6, pending: 0 });
    expect(status.failedItems?.[0]).toMatchObject({ class: "model", message: "isnet.onnx: wrong checksum" });
    await pods("misfit", 0);
  });

  it("fails when its pods crash more often than they may", async () => {
    await aScene();
    await anOperator();
    await hand.apply("crash", { items: photos(1), retry: { infrastructure: 0 } });
    const [pod] = await pods("crash", 1);
    await hand.start(pod!);
    await hand.end(pod!, EXIT_CODES.internal, "a fault of the runner");
    const status = await condition("crash", "Failed", "RetriesExhausted");
    expect(status.failedItems).toEqual([
      { id: "item-0", class: "unknown", message: "exit code 70: a fault of the runner" },
    ]);
  });

  it("gives its GPUs back when suspended, and goes on when resumed", async () => {
    await aScene();
    await anOperator();
    const { opalJobs } = resourcesIn(namespace.name);
    await hand.apply("pause", { items: photos(8), gpu: { maxGpus: 2 } });
    const before = await pods("pause", 2);
    await hand.report(before[0]!, { v: 1, done: "0-1", failed: "", stages: {}, gpuSeconds: 3 });
    await namespace.client.patch(opalJobs, "pause", { spec: { suspend: true } });
    await condition("pause", "Suspended", "SuspendedByUser");
    await pods("pause", 0);
    expect(await childJobs()).toEqual([{ name: "pause-1", parallelism: 0 }]);
    await namespace.client.patch(opalJobs, "pause", { spec: { suspend: false } });
    await pods("pause", 2);
    expect(await childJobs()).toEqual([{ name: "pause-1", parallelism: 2 }]);
  });

  it("waits for GPUs, says why, and takes its turn", async () => {
    await aScene();
    await anOperator({ backgroundIntervalSeconds: 1 });
    await hand.apply("first", { items: photos(4), gpu: { maxGpus: 4 } });
    const held = await pods("first", 4);
    await hand.apply("second", { items: photos(1), gpu: { minGpus: 1 } });
    const { queue } = await condition("second", "Queued", "WaitingForGpus");
    expect(queue).toEqual({
      position: 1,
      blockedOn: "gpus",
      because: expect.stringContaining(namespace.name) as string,
    });
    await hand.start(held[3]!);
    await hand.end(held[3]!, EXIT_CODES.done, verdictText({ done: "3" }));
    await pods("second", 1);
    await condition("second", "Admitted", "GpusAssigned");
  });

  it("takes its children with it when deleted, at once even while a finalizer holds it", async () => {
    await aScene();
    await anOperator();
    const { opalJobs } = resourcesIn(namespace.name);
    await hand.apply("held", { items: photos(4) }, { finalizers: ["opal.dev/projection"] });
    await pods("held", 1);
    await namespace.client.delete(opalJobs, "held");
    await pods("held", 0);
    const { metadata, status } = await hand.opalJob("held");
    expect(metadata.finalizers).toEqual(["opal.dev/projection"]);
    expect(status.conditions?.find((one) => one.type === "Admitted")?.status).toBe("False");
    await namespace.client.patch(opalJobs, "held", { metadata: { finalizers: null } });
    await eventually("the OpalJob is gone", () =>
      hand.opalJob("held").then(
        () => false,
        (error: unknown) => isStatus(error, 404),
      ),
    );
  });

  it("is deleted when its time after the end is over", async () => {
    await aScene();
    await anOperator();
    await hand.apply("brief", { items: photos(1), ttlSecondsAfterFinished: 1 });
    const [pod] = await pods("brief", 1);
    await hand.start(pod!);
    await hand.end(pod!, EXIT_CODES.done, verdictText({ done: "0" }));
    const areGone = async () => {
      const isGone = await hand.opalJob("brief").then(
        () => false,
        (error: unknown) => isStatus(error, 404),
      );
      return isGone && (await childJobs()).length === 0;
    };
    await eventually("the OpalJob and its child are gone", areGone, COLLECTED_WITHIN_MS);
  });

  it("that cannot be read says so, and goes its way once it can be", async () => {
    await aScene();
    await anOperator();
    const { opalJobs } = resourcesIn(namespace.name);
    // The API server takes a lower-case z; the operator's schema does not.
    await hand.apply("foreign", { items: photos(1), deadline: "2099-01-01T00:00:00z" });
    const raw = await eventually("the status says so", async () => {
      const seen = (await namespace.client.get(opalJobs, "foreign")) as { status?: { phase?: string } };
      return seen.status?.phase === "Invalid" && seen;
    });
    expect(raw).toMatchObject({
      status: { conditions: [{ type: "Queued", status: "False", reason: "InvalidSpec" }] },
    });
    await namespace.client.patch(opalJobs, "foreign", { spec: { deadline: "2099-01-01T00:00:00Z" } });
    await pods("foreign", 1);
    const { phase } = await condition("foreign", "Admitted", "GpusAssigned");
    expect(phase).toBe("Starting");
  });

  it("gets its ConfigMap again when somebody deletes it", async () => {
    await aScene();
    await anOperator();
    const { configMaps } = resourcesIn(namespace.name);
    await hand.apply("robbed", { items: photos(2), gpu: { maxGpus: 2 }, brand: wordyBrand });
    await pods("robbed", 2);
    const read = async () => (await namespace.client.get(configMaps, "robbed-1")) as { data: object };
    const before = await eventually("the ConfigMap is there", read);
    await namespace.client.delete(configMaps, "robbed-1");
    const after = await eventually("the ConfigMap is back", read);
    expect(after.data).toEqual(before.data);
  });
});

describe("the operator's process", () => {
  it("goes on where it was after kill -9, without a second child", async () => {
    await aScene();
    const first = await anOperator();
    await hand.apply("orphan", { items: photos(8), gpu: { maxGpus: 2 } });
    const [a, b] = await pods("orphan", 2);
    first.kill("SIGKILL");
    await first.exited;
    for (const [pod, done] of [
      [a, "0-3"],
      [b, "4-7"],
    ] as const) {
      await hand.start(pod!);
      await hand.end(pod!, EXIT_CODES.done, verdictText({ done }));
    }
    await anOperator();
    const status = await condition("orphan", "Complete", "AllItemsDone");
    expect(status.items?.done).toBe(8);
    expect(await childJobs()).toHaveLength(1);
  });

  it("hands over to a standby within the lease and two seconds after kill -9", async () => {
    await aScene();
    const leader = await anOperator();
    const standby = startOperator(namespace);
    running.push(standby);
    await eventually(
      "the standby's caches are full",
      async () => standby.log.filter((line) => line.includes('"listed"')).length >= KINDS_WATCHED,
    );
    leader.kill("SIGKILL");
    const killedMs = performance.now();
    await standby.ready;
    expect((performance.now() - killedMs) / 1000).toBeLessThan(4 + 2);
  });

  it("stops in order on SIGTERM and gives the lease back, so that the next leads at once", async () => {
    await aScene();
    const first = await anOperator();
    first.kill("SIGTERM");
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const startedMs = performance.now();
    await anOperator();
    expect((performance.now() - startedMs) / 1000).toBeLessThan(3);
  });

  it("answers health checks", async () => {
    await aScene();
    const { port } = await anOperator();
    const answers = ["healthz", "readyz", "metrics", "other"].map(
      async (path) => (await fetch(`http://127.0.0.1:${port}/${path}`)).status,
    );
    expect(await Promise.all(answers)).toEqual([200, 200, 200, 404]);
  });

  it("refuses a bad configuration with exit code 78", async () => {
    await aScene();
    const operator = startOperator(namespace, { shardSize: 0, workers: 0 });
    running.push(operator);
    expect(await operator.exited).toEqual({ code: EXIT_CODES.config, signal: null });
    expect(operator.log.join("\n")).toMatch(/shardSize[^]*workers/);
  });
});
