/**
 * The leading operator is killed (SIGKILL) at each of its writes, by name, before the API server has heard of it and
 * after it was done. A warm standby takes over, and the end is the same as without the death: no second child, no lost
 * one. Each operator is a process of its own behind a proxy of its own, which sees the write and kills.
 */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { GpuPool } from "#crds/gpupool.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { OpalQueue } from "#crds/opalqueue.ts";
import { resourcesIn } from "../../operator/cluster/resources.ts";
import { loadClusterAccess } from "../../operator/runtime/cluster-access.ts";
import { isStatus } from "../../operator/runtime/errors.ts";
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
} from "../../operator/testing.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type Kill, killAt, type KillPoint } from "./kill-point.ts";
import { writeProxiedKubeconfig } from "./proxied-kubeconfig.ts";

const LEASE = { durationSeconds: 2, renewSeconds: 1.4, retrySeconds: 0.3 };
/** What has not changed for so long has come to rest: twice the time between two writes of a status. */
const AT_REST_MS = 1000;
const TAKEOVER_SECONDS = LEASE.durationSeconds + 2;

interface Guarded extends RunningOperator {
  readonly proxy: FaultProxy;
  /** Its writes that went on to the API server, the lease aside. */
  readonly writes: string[];
}

let cluster: TestCluster;
let namespace: TestNamespace;
let hand: ReturnType<typeof createHand>;
let leader: Guarded;
let standby: Guarded;
const started: Guarded[] = [];

beforeAll(async () => {
  cluster = await openTestCluster();
  namespace = await createTestNamespace(cluster);
  hand = createHand(namespace);
  leader = await anOperator();
  await leader.ready;
  standby = await anOperator();
  await isWarm(standby);
});

afterAll(async () => {
  for (const operator of started) {
    operator.kill("SIGKILL");
    await operator.exited;
    await operator.proxy.close();
  }
  const { opalJobs } = resourcesIn(namespace.name);
  for (const raw of (await namespace.client.list(opalJobs, {})).items) {
    const { name, deletionTimestamp } = OpalJob.parse(raw).metadata;
    if (deletionTimestamp) await namespace.client.patch(opalJobs, name, { metadata: { finalizers: null } });
  }
  await namespace.remove();
  await cluster.close();
});

async function anOperator(): Promise<Guarded> {
  const { operatorKubeconfig, folder } = namespace;
  const writes: string[] = [];
  const proxy = await startFaultProxy({
    upstream: await loadClusterAccess({ kubeconfig: operatorKubeconfig }),
    onPassed: ({ isWrite, method, path }) => isWrite && writes.push(`${method} ${path}`),
  });
  const kubeconfig = join(folder, `operator-${started.length}.kubeconfig`);
  await writeProxiedKubeconfig(operatorKubeconfig, kubeconfig, proxy);
  const operator = startOperator(
    { ...namespace, operatorKubeconfig: kubeconfig },
    {
      lease: LEASE,
      unreachableSeconds: 1,
      poolStatusIntervalSeconds: 1,
    },
  );
  const guarded = { ...operator, proxy, writes };
  started.push(guarded);
  return guarded;
}

/** Its caches are full: it answers that it is ready to lead. */
async function isWarm({ log }: RunningOperator): Promise<void> {
  await eventually("the standby is warm", async () => {
    const line = log.find((one) => one.includes("serving /healthz"));
    if (!line) return false;
    const { port } = JSON.parse(line) as { port: number };
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  });
}

/** The pod of a job of one shard, which brings its manifest along. */
const podOf = (job: string) => eventually(`a pod of ${job}`, async () => (await hand.livePods(job))[0]);

const conditionOf = (job: string, condition: string) =>
  eventually(`${condition} of ${job}`, async () => {
    const { status } = await hand.opalJob(job);
    return status.conditions?.some(({ type, status, reason }) => `${type}=${status} ${reason}` === condition);
  });

/** A job's way to an end that does not change any more. */
type Story = (job: string) => Promise<void>;

const complete: Story = async (job) => {
  await hand.apply(job, { items: photos(1) });
  const pod = await podOf(job);
  await hand.start(pod);
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
  await conditionOf(job, "Complete=True AllItemsDone");
};

/** Two shards of many words: as on a kubelet, no pod starts before their ConfigMap is there. */
const completeShards: Story = async (job) => {
  await hand.apply(job, { items: photos(2), gpu: { maxGpus: 2 }, brand: wordyBrand });
  const pods = await eventually(`two pods of ${job}, and their ConfigMap`, async () => {
    await namespace.client.get(resourcesIn(namespace.name).configMaps, `${job}-1`);
    const live = await hand.livePods(job);
    return live.length === 2 && live;
  });
  for (const pod of pods) {
    await hand.start(pod);
    const shard = pod.metadata.annotations["batch.kubernetes.io/job-completion-index"] ?? "";
    await hand.end(pod, EXIT_CODES.done, verdictText({ done: shard }));
  }
  await conditionOf(job, "Complete=True AllItemsDone");
};

/** Lives long enough to be counted by its pool and its queue, whose statuses are written once a second. */
const beCounted: Story = async (job) => {
  const { gpuPools, opalQueues } = resourcesIn(namespace.name);
  await hand.apply(job, { items: photos(1) });
  const pod = await podOf(job);
  await hand.start(pod);
  await eventually(`${job} is counted`, async () => {
    const { status: pool } = GpuPool.parse(await namespace.client.get(gpuPools, namespace.name));
    const { status: queue } = OpalQueue.parse(await namespace.client.get(opalQueues, "default"));
    return pool.inUse === 1 && queue.admitted === 1;
  });
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
  await conditionOf(job, "Complete=True AllItemsDone");
};

const suspend: Story = async (job) => {
  await hand.apply(job, { items: photos(2) });
  await podOf(job);
  await conditionOf(job, "Admitted=True GpusAssigned");
  await namespace.client.patch(resourcesIn(namespace.name).opalJobs, job, { spec: { suspend: true } });
  await conditionOf(job, "Suspended=True SuspendedByUser");
};

const deleteWhileHeld: Story = async (job) => {
  await hand.apply(job, { items: photos(1) }, { finalizers: ["opal.dev/projection"] });
  await podOf(job);
  await conditionOf(job, "Admitted=True GpusAssigned");
  await namespace.client.delete(resourcesIn(namespace.name).opalJobs, job);
};

const expire: Story = async (job) => {
  await hand.apply(job, { items: photos(1), ttlSecondsAfterFinished: 1 });
  const pod = await podOf(job);
  await hand.start(pod);
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
};

const loseNode: Story = async (job) => {
  const { nodes, opalJobs } = resourcesIn(namespace.name);
  const node = `${namespace.name}-${job}`;
  const room = { cpu: "4", memory: "8Gi", pods: "10", "nvidia.com/gpu": "1" };
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "" };
  const labels = { "opal.dev/gpu-class": namespace.name };
  await namespace.client.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: node, labels } });
  await namespace.client.patchStatus(nodes, node, {
    status: { allocatable: room, capacity: room, conditions: [ready] },
  });
  await hand.apply(job, { items: photos(1) });
  const first = await eventually(`the pod of ${job} has its node`, async () =>
    (await hand.livePods(job)).find((pod) => pod.spec.nodeName === node),
  );
  await hand.start(first);
  const lastTransitionTime = new Date(Date.now() - 5000).toISOString().replace(/\.\d+Z$/, "Z");
  await namespace.client.patchStatus(nodes, node, {
    status: { conditions: [{ ...ready, status: "Unknown", lastTransitionTime }] },
  });
  await eventually(`the lost pod of ${job} has ended`, async () =>
    (await hand.livePods(job)).every((pod) => pod.metadata.name !== first.metadata.name),
  );
  // Kubernetes makes the next pod after ten seconds: long enough seen.
  await namespace.client.patch(opalJobs, job, { spec: { suspend: true } });
  await conditionOf(job, "Suspended=True SuspendedByUser");
  await namespace.client.delete(nodes, node);
};

/** A story in which each write happens. */
const stories: Readonly<Record<KillPoint, Story>> = {
  createJob: complete,
  createConfigMap: completeShards,
  writeStatus: complete,
  recordEvent: complete,
  renewLease: complete,
  writePoolStatus: beCounted,
  writeQueueStatus: beCounted,
  failPod: loseNode,
  deletePod: loseNode,
  resizeJob: suspend,
  deleteJob: deleteWhileHeld,
  deleteOpalJob: expire,
};

/** What is there at the end, whatever the job's name. */
async function endOf(job: string): Promise<unknown> {
  const { jobs, configMaps, opalJobs } = resourcesIn(namespace.name);
  const labelSelector = `opal.dev/job=${job}`;
  const named = async (resource: typeof jobs) =>
    (await namespace.client.list(resource, { labelSelector })).items as {
      metadata: { name: string };
      spec?: { parallelism?: number };
    }[];
  const opalJob = await namespace.client.get(opalJobs, job).catch((error: unknown) => {
    if (isStatus(error, 404)) return undefined;
    throw error;
  });
  // Its children go with it when the garbage collector has learned of the kind: not the operator's doing.
  if (!opalJob) return { isGone: true };
  const { status } = OpalJob.parse(opalJob);
  return {
    conditions: status.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    items: status.items,
    attempts: status.attempts,
    assignment: status.assignment?.gpus,
    jobs: (await named(jobs)).map(({ metadata, spec }) => [
      metadata.name.replace(job, "JOB"),
      spec?.parallelism,
    ]),
    configMaps: (await named(configMaps)).map(({ metadata }) => metadata.name.replace(job, "JOB")),
    livePods: (await hand.livePods(job)).length,
  };
}

async function hasEndLike(job: string, expected: unknown): Promise<void> {
  const isThere = async () => isDeepStrictEqual(await endOf(job), expected);
  await eventually(`${job} has the same end`, isThere, 15_000).catch(() => {});
  expect(await endOf(job)).toEqual(expected);
}

/** Ends of the stories when nobody dies. */
const ends = new Map<Story, unknown>();
const settledEnds: readonly [Story, string, object][] = [
  [complete, "completed", { livePods: 0, configMaps: [] }],
  [completeShards, "sharded", { livePods: 0, configMaps: ["JOB-1"] }],
  [beCounted, "counted", { livePods: 0, configMaps: [] }],
  [loseNode, "freed", { livePods: 0, jobs: [["JOB-1", 0]], attempts: 1 }],
  [suspend, "suspended", { livePods: 0, jobs: [["JOB-1", 0]] }],
  [deleteWhileHeld, "held", { livePods: 0, jobs: [], configMaps: [] }],
  [expire, "expired", { isGone: true }],
];

describe("nobody dies, and a job", () => {
  it.each(settledEnds)("%o is %s", async (story, job, settled) => {
    await story(job);
    let end: unknown;
    let sinceMs = Infinity;
    await eventually(`${job} has come to rest`, async () => {
      const seen = await endOf(job);
      if (!isDeepStrictEqual(seen, end)) sinceMs = performance.now();
      end = seen;
      const isSettled = isDeepStrictEqual({ ...(seen as object), ...settled }, seen);
      return isSettled && performance.now() - sinceMs > AT_REST_MS;
    });
    ends.set(story, end);
  });
});

const kills: Kill[] = (Object.keys(stories) as KillPoint[]).flatMap((point) => [
  { point, when: "before" },
  { point, when: "after" },
]);

describe("the leader dies, a standby takes over in time, and the end is the same:", () => {
  it.for(kills)("$when $point", { timeout: 40_000 }, async (kill, { annotate }) => {
    const job = `${kill.when}-${kill.point}`.toLowerCase();
    const story = stories[kill.point];
    let killedMs: number | undefined;
    const dying = leader;
    await dying.proxy.inject(
      killAt(kill, () => {
        dying.kill("SIGKILL");
        killedMs = performance.now();
      }),
    );
    const takenOver = standby.ready.then(() => performance.now());
    const next = dying.exited.then(anOperator);
    try {
      await story(job);
      await dying.exited;
    } finally {
      if (killedMs !== undefined) [leader, standby] = [standby, await next];
    }
    await isWarm(standby);
    const seconds = ((await takenOver) - (killedMs ?? 0)) / 1000;
    expect(seconds).toBeLessThan(TAKEOVER_SECONDS);
    await annotate(`taken over in ${seconds.toFixed(2)} s`);
    await hasEndLike(job, ends.get(story));
  });
});

it(
  "a leader that was frozen has been replaced when it wakes up, and writes nothing",
  { timeout: 40_000 },
  async () => {
    const frozen = leader;
    await hand.apply("frozen", { items: photos(1) });
    const pod = await podOf("frozen");
    await conditionOf("frozen", "Admitted=True GpusAssigned");
    frozen.kill("SIGSTOP");
    const frozenMs = performance.now();
    await standby.ready;
    expect(performance.now() - frozenMs).toBeLessThan(TAKEOVER_SECONDS * 1000);
    await hand.start(pod);
    await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
    await hasEndLike("frozen", ends.get(complete));
    frozen.writes.length = 0;
    const linesBefore = frozen.log.length;
    frozen.kill("SIGCONT");
    await eventually("it has noticed", async () =>
      frozen.log.slice(linesBefore).some((line) => line.includes("leadership lost")),
    );
    await isWarm(frozen);
    expect(frozen.writes).toEqual([]);
  },
);
