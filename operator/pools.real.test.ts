/** Several pools and queues on a real control plane: stock-out, a lost node, an image that is not pulled. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { GpuPool } from "#crds/gpupool.ts";
import { OpalQueue } from "#crds/opalqueue.ts";
import { resourcesIn } from "./cluster/resources.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  openTestCluster,
  photos,
  type RunningOperator,
  startOperator,
  type TestCluster,
  type TestNamespace,
  verdictText,
} from "./testing.ts";

let cluster: TestCluster;
let namespace: TestNamespace;
let hand: ReturnType<typeof createHand>;
const running: RunningOperator[] = [];
const made: { plural: "gpuPools" | "opalQueues" | "nodes"; name: string }[] = [];

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
  for (const { plural, name } of made.splice(0)) {
    await namespace.client.delete(resourcesIn("")[plural], name);
  }
});

async function aScene(changes: object = {}): Promise<void> {
  namespace = await createTestNamespace(cluster);
  hand = createHand(namespace);
  const operator = startOperator(namespace, { poolStatusIntervalSeconds: 1, ...changes });
  running.push(operator);
  await operator.ready;
}

async function make(plural: (typeof made)[number]["plural"], name: string, body: object): Promise<void> {
  const kinds = { gpuPools: "GpuPool", opalQueues: "OpalQueue", nodes: "Node" };
  const apiVersion = plural === "nodes" ? "v1" : "opal.dev/v1alpha1";
  await namespace.client.create(resourcesIn("")[plural], {
    apiVersion,
    kind: kinds[plural],
    metadata: { name },
    ...body,
  });
  made.push({ plural, name });
}

const livePod = (job: string, labels: Record<string, string>) =>
  eventually(`a pod of ${job} with ${JSON.stringify(labels)}`, async () =>
    (await hand.livePods(job)).find(({ metadata }) =>
      Object.entries(labels).every(([name, value]) => metadata.labels[name] === value),
    ),
  );

it("leaves a pool that has no nodes, remembers it, and finishes on another one", async () => {
  await aScene();
  const cheap = `${namespace.name}-cheap`;
  await make("gpuPools", cheap, {
    spec: {
      gpuClass: "cheap",
      vramGiB: 16,
      maxGpus: 2,
      pricePerGpuHour: 0.01,
      startTimeoutSeconds: 2,
      nodeSelector: { "opal.dev/gpu-class": "nowhere" },
    },
  });
  const { gpuPools } = resourcesIn("");
  await namespace.client.patch(gpuPools, namespace.name, { spec: { pricePerGpuHour: 1 } });
  await eventually("the operator knows both pools as they are now", async () => {
    const pools = [cheap, namespace.name].map(async (name) =>
      GpuPool.parse(await namespace.client.get(gpuPools, name)),
    );
    return (await Promise.all(pools)).every(
      ({ status, metadata }) => status.observedGeneration === metadata.generation,
    );
  });
  await hand.apply("moves", { items: photos(2) });
  await livePod("moves", { "opal.dev/pool": cheap });
  const pod = await livePod("moves", { "opal.dev/pool": namespace.name, "opal.dev/attempt": "2" });
  const pool = await eventually("the pool says that it is out of stock", async () => {
    const { status } = GpuPool.parse(await namespace.client.get(gpuPools, cheap));
    return status.conditions?.[0]?.reason === "StockedOut" && status;
  });
  expect(pool.stockOut).toMatchObject({ strength: 1 });
  await eventually("the job tells its new pool", async () => {
    const { assignment } = (await hand.opalJob("moves")).status;
    return assignment?.pool === namespace.name && assignment.gpus === 1;
  });
  await hand.start(pod);
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0-1" }));
  await eventually("the job is complete, and nothing is left behind", async () => {
    const job = await hand.opalJob("moves");
    const { items } = await namespace.client.list(resourcesIn(namespace.name).jobs, {});
    return job.status.phase === "Complete" && items.length === 1;
  });
});

it("replaces the pod of a node that does not answer, and counts no crash", async () => {
  await aScene({ unreachableSeconds: 1 });
  const labels = { "opal.dev/gpu-class": namespace.name };
  const room = { cpu: "4", memory: "8Gi", pods: "10", "nvidia.com/gpu": "1" };
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "" };
  const node = `${namespace.name}-a`;
  await make("nodes", node, { metadata: { name: node, labels } });
  const { nodes } = resourcesIn("");
  await namespace.client.patchStatus(nodes, node, {
    status: { allocatable: room, capacity: room, conditions: [ready] },
  });
  await hand.apply("lost", { items: photos(1), retry: { infrastructure: 0 } });
  const first = await eventually("the pod has its node", async () => {
    const [pod] = await hand.livePods("lost");
    return pod?.spec.nodeName === node && pod;
  });
  await hand.start(first);
  const lastTransitionTime = new Date(Date.now() - 2000).toISOString().replace(/\.\d+Z$/, "Z");
  await namespace.client.patchStatus(nodes, node, {
    status: { conditions: [{ ...ready, status: "Unknown", lastTransitionTime }] },
  });
  const second = await eventually("another pod", async () =>
    (await hand.livePods("lost")).find(({ metadata }) => metadata.name !== first.metadata.name),
  );
  await hand.start(second);
  await hand.end(second, EXIT_CODES.done, verdictText({ done: "0" }));
  await eventually("the job is complete in its first attempt", async () => {
    const { status } = await hand.opalJob("lost");
    return status.phase === "Complete" && status.attempts === 1;
  });
});

it("keeps a queue's account, and goes on from it after a restart", async () => {
  await aScene();
  const tenant = namespace.name;
  await make("opalQueues", tenant, { spec: { weight: 2, budget: { gpuSeconds: 100_000 } } });
  const { opalQueues } = resourcesIn("");
  const told = async () => OpalQueue.parse(await namespace.client.get(opalQueues, tenant)).status;
  await eventually("the operator knows the queue", async () => (await told()).conditions !== undefined);
  await hand.apply("pays", { tenant, items: photos(1) });
  const pod = await livePod("pays", { "opal.dev/queue": tenant });
  await hand.start(pod);
  await eventually("the account grows while the pod runs", async () => {
    const { usage } = await told();
    return (usage?.windowGpuSeconds ?? 0) > 0;
  });
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
  const account = await eventually("the account is closed", async () => {
    const { usage, admitted } = await told();
    return admitted === 0 && usage;
  });
  expect(account.classes.map(({ class: gpuClass }) => gpuClass)).toEqual(["test"]);
  for (const operator of running.splice(0)) {
    operator.kill("SIGKILL");
    await operator.exited;
  }
  const next = startOperator(namespace, { poolStatusIntervalSeconds: 1 });
  running.push(next);
  await next.ready;
  await hand.apply("next", { tenant, items: photos(1) });
  await livePod("next", { "opal.dev/queue": tenant });
  const after = await eventually("the queue is told again", async () => {
    const status = await told();
    return status.admitted === 1 && status;
  });
  expect(after.usage).toEqual(account);
});
