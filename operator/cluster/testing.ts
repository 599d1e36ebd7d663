/**
 * A cluster in memory: the fake API server, a Job controller and runners that do what a test tells them, and an
 * operator whose writes can be made to die at any point.
 */
import { EXIT_ACTIONS, EXIT_CODES, type ExitReason } from "#crds/exit-codes.ts";
import type { FailureClass } from "#crds/failure.ts";
import { formatRanges, parseRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS } from "#crds/names.ts";
import { encodeVerdict, manifestParts, type ShardProgress } from "#crds/runner-report.ts";
import type { GpuPool, GpuPoolStatus } from "#crds/gpupool.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { OpalQueue, OpalQueueStatus } from "#crds/opalqueue.ts";
import type { JobManifest } from "../reconcile/desired-job.ts";
import type { ConfigMapManifest } from "../reconcile/manifest.ts";
import type { Note } from "../reconcile/event-notes.ts";
import type { ReconcileSettings } from "../reconcile/settings.ts";
import type { UnreadableOpalJob } from "../reconcile/unreadable.ts";
import type { ApiClient } from "../runtime/api-client.ts";
import { StaleError } from "../runtime/errors.ts";
import { createFakeClock, FakeApi, type FakeClock, type RawObject } from "../runtime/testing.ts";
import { toEntry } from "../runtime/reflector.ts";
import { createTurnLine } from "../runtime/turn-line.ts";
import { type Caches, createCaches, parseConfigMap, parseGpuPool, parseOpalQueue } from "./caches.ts";
import { parseChildJob } from "./child-job.ts";
import { createEventReader } from "./event-reader.ts";
import { feed } from "./feed.ts";
import { createKubernetesPort } from "./kubernetes-port.ts";
import { createMemory, type Memory } from "./memory.ts";
import { pass } from "./pass.ts";
import { createPlanner, type Planner } from "./planner.ts";
import type { ChildRef, ClusterPort, PodEnd, WritePoint } from "./port.ts";
import { opalJobTarget, readOpalJob } from "./opal-jobs.ts";
import { resourcesIn } from "./resources.ts";
import { parseRunnerPod } from "./runner-pod.ts";
import { look } from "./sights.ts";
import { writeStatuses } from "./status-writer.ts";
import type { Plan } from "../schedule/plan.ts";
import { DEFAULT_SETTINGS, type World } from "../schedule/world.ts";
import { parseGpuNode } from "./gpu-node.ts";

export const NAMESPACE = "opal";
const INDEX = "batch.kubernetes.io/job-completion-index";

export function someSettings(changes: Partial<ReconcileSettings> = {}): ReconcileSettings {
  return {
    runner: { image: "opal/runner", serviceAccountName: "opal-runner", terminationGracePeriodSeconds: 30 },
    shardSize: 4,
    coalesce: { maxItems: 16 },
    childTtlSeconds: 86_400,
    statusIntervalSeconds: 5,
    settleSeconds: 1.5,
    backgroundIntervalSeconds: 30,
    unreachableSeconds: 3,
    podStartTimeoutSeconds: 5,
    standstillSeconds: 2,
    kueue: false,
    ...changes,
  };
}

/** GPUs of the one pool, `sim`. */
export const POOL_GPUS = 4;

/** How one item fares in a fake runner: done, failed, its pod ends with this exit, or never starts. */
export type Fate = "done" | "stuck" | { fails: FailureClass } | { exits: ExitReason };
export type FateOf = (item: { id: string; attempt: number; pod: string }) => Fate;

export interface FakeCluster {
  readonly api: FakeApi;
  readonly clock: FakeClock;
  readonly notes: Note[];
  addPool(name: string, spec?: object): Promise<void>;
  addQueue(name: string, spec?: object): Promise<void>;
  /** The node of this name does not answer any more. Each pod has a node of its own, `node-of-<pod>`. */
  loseNode(name: string): Promise<void>;
  /** No pod is created any more, and an event of each Job says so in these words; undefined ends that. */
  refusePods(words: string | undefined): void;
  applyOpalJob(name: string, spec: object, metadata?: object): Promise<void>;
  /** Kubernetes and the runners do their next step; a second passes. */
  step(): Promise<void>;
}

export function createFakeCluster(fate: FateOf): FakeCluster {
  const clock = createFakeClock();
  const api = new FakeApi(clock);
  const podsMade = new Map<string, number>();
  let refusal: string | undefined;
  const nextPodName = (index: string) => {
    const number = podsMade.get(index) ?? 0;
    podsMade.set(index, number + 1);
    return `${index}-${number}`;
  };
  return {
    api,
    clock,
    notes: [],
    async addPool(name, spec = {}) {
      await api.create(resourcesIn(NAMESPACE).gpuPools, {
        metadata: { name },
        spec: { gpuClass: "simulated", vramGiB: 16, maxGpus: POOL_GPUS, pricePerGpuHour: 3.6, ...spec },
      });
    },
    async addQueue(name, spec = {}) {
      await api.create(resourcesIn(NAMESPACE).opalQueues, { metadata: { name }, spec });
    },
    async loseNode(name) {
      const lastTransitionTime = clock.now().toISOString();
      await api.create(resourcesIn(NAMESPACE).nodes, {
        metadata: { name },
        status: { conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime }] },
      });
    },
    refusePods(words) {
      refusal = words;
    },
    async applyOpalJob(name, spec, metadata = {}) {
      await api.create(resourcesIn(NAMESPACE).opalJobs, { metadata: { name, ...metadata }, spec });
    },
    async step() {
      api.collectGarbage();
      for (const job of api.all("jobs")) {
        await (refusal === undefined ? controlJob(api, job, nextPodName) : refuse(api, job, refusal));
      }
      for (const pod of api.all("pods")) runPod(api, pod, { fate, clock });
      if (refusal === undefined) {
        for (const job of api.all("jobs")) await controlJob(api, job, nextPodName);
      }
      await clock.advance(1000);
    },
  };
}

async function refuse(api: FakeApi, { metadata }: RawObject, note: string): Promise<void> {
  const { events } = resourcesIn(NAMESPACE);
  const name = `${metadata.name}.refused`;
  if (api.all("events").some((event) => event.metadata.name === name)) await api.delete(events, name);
  const regarding = { uid: metadata.uid };
  await api.create(events, { metadata: { name }, regarding, reason: "FailedCreate", note });
}

interface JobSpec {
  completions: number;
  parallelism: number;
  suspend?: boolean;
  backoffLimitPerIndex: number;
  template: { metadata: object };
}

/** Which indexes have succeeded, which have failed beyond their back-off, and which are open. */
function sortIndexes(spec: JobSpec, pods: readonly RawObject[]) {
  const succeeded = new Set<number>();
  const failed = new Set<number>();
  const open: number[] = [];
  for (let index = 0; index < spec.completions; index++) {
    const own = pods.filter((pod) => Number(pod.metadata.annotations?.[INDEX]) === index);
    const ends = own.flatMap((pod) => (pod.status?.["phase"] === "Failed" ? [actionOf(pod)] : []));
    const counted = ends.filter((action) => action === "Count").length;
    if (own.some((pod) => pod.status?.["phase"] === "Succeeded")) succeeded.add(index);
    else if (ends.includes("FailIndex") || counted > spec.backoffLimitPerIndex) failed.add(index);
    else open.push(index);
  }
  return { succeeded, failed, open };
}

/** The Job controller's rules for Indexed Jobs, as far as the operator builds on them. */
async function controlJob(
  api: FakeApi,
  job: RawObject,
  nextPodName: (index: string) => string,
): Promise<void> {
  const spec = job.spec as unknown as JobSpec;
  const pods = api.all("pods").filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
  const { succeeded, failed, open } = sortIndexes(spec, pods);
  api.mutate("jobs", job.metadata.name, (raw) => {
    const condition = (type: string) => [{ type, status: "True" }];
    raw.status = {
      completedIndexes: formatRanges(succeeded),
      failedIndexes: formatRanges(failed),
      ...(open.length === 0 && { conditions: condition(failed.size > 0 ? "Failed" : "Complete") }),
    };
  });
  const live = pods.filter((pod) => ["Pending", "Running"].includes(String(pod.status?.["phase"])));
  const wanted = spec.suspend ? [] : open.slice(0, spec.parallelism);
  for (const pod of live) {
    if (!wanted.includes(Number(pod.metadata.annotations?.[INDEX]))) {
      await api.delete(resourcesIn(NAMESPACE).pods, pod.metadata.name);
    }
  }
  for (const index of wanted) {
    if (live.some((pod) => Number(pod.metadata.annotations?.[INDEX]) === index)) continue;
    const { labels, annotations } = spec.template.metadata as RawObject["metadata"];
    await api.create(resourcesIn(NAMESPACE).pods, {
      metadata: {
        name: nextPodName(`${job.metadata.name}-${index}`),
        labels,
        annotations: { ...annotations, [INDEX]: String(index) },
        ownerReferences: [{ uid: job.metadata.uid, controller: true }],
      },
      status: { phase: "Pending" },
    });
  }
}

function actionOf(pod: RawObject): "Ignore" | "Count" | "FailIndex" {
  const conditions = (pod.status?.["conditions"] ?? []) as { type: string }[];
  if (conditions.some(({ type }) => type === "DisruptionTarget")) return "Ignore";
  const [status] = (pod.status?.["containerStatuses"] ?? []) as {
    state: { terminated?: { exitCode: number } };
  }[];
  const reason = (Object.keys(EXIT_CODES) as ExitReason[]).find(
    (name) => EXIT_CODES[name] === status?.state.terminated?.exitCode,
  );
  return reason === undefined || reason === "done" ? "Count" : EXIT_ACTIONS[reason];
}

/** Starts a pod, or lets it do one item; a pod without its manifest does not start. */
function runPod(api: FakeApi, pod: RawObject, { fate, clock }: Runners): void {
  const work = workOf(api, pod);
  const nodeName = `node-of-${pod.metadata.name}`;
  if (!work || api.all("nodes").some((node) => node.metadata.name === nodeName)) return;
  const now = clock.now().toISOString();
  if (pod.status?.["phase"] === "Pending") startPod(api, pod, { work, fate, now, nodeName });
  else if (pod.status?.["phase"] === "Running") workOn(api, pod, { work, fate, now });
}

function startPod(
  api: FakeApi,
  pod: RawObject,
  { work, fate, now, nodeName }: { work: readonly WorkItem[]; fate: FateOf; now: string; nodeName: string },
): void {
  if (pod.spec?.["nodeName"] === undefined) setNode(api, pod, { nodeName, now });
  const [first] = work;
  const itsFate = fate({ id: first?.id ?? "", attempt: first?.attempt ?? 1, pod: pod.metadata.name });
  if (itsFate !== "stuck") setContainer(api, pod, "Running", { running: { startedAt: now } });
  else setContainer(api, pod, "Pending", { waiting: { reason: "ImagePullBackOff" } });
}

function setNode(api: FakeApi, pod: RawObject, { nodeName, now }: { nodeName: string; now: string }): void {
  api.mutate("pods", pod.metadata.name, (raw) => {
    raw.spec = { nodeName };
    const conditions = [{ type: "PodScheduled", status: "True", lastTransitionTime: now }];
    raw.status = { ...raw.status, conditions };
  });
}

interface Runners {
  readonly fate: FateOf;
  readonly clock: FakeClock;
}

interface WorkItem {
  readonly id: string;
  readonly slot: number;
  readonly attempt: number;
  readonly isShared: boolean;
}

function workOf(api: FakeApi, { metadata }: RawObject): WorkItem[] | undefined {
  const job = api.all("jobs").find((one) => one.metadata.uid === metadata.ownerReferences?.[0]?.uid);
  const configMap = api.all("configmaps").find((one) => one.metadata.name === job?.metadata.name);
  const shard = Number(metadata.annotations?.[INDEX]);
  const text = metadata.annotations?.[ANNOTATIONS.manifest] ?? configMap?.data?.[`${shard}.json`];
  if (text === undefined) return undefined;
  return manifestParts(JSON.parse(text), shard).flatMap(({ attempt, items }) =>
    items.map(({ id, index, slot }) => ({ id, slot: slot ?? index, attempt, isShared: slot !== undefined })),
  );
}

function setContainer(api: FakeApi, pod: RawObject, phase: string, state: object): void {
  api.mutate("pods", pod.metadata.name, (raw) => {
    raw.status = { ...raw.status, phase, containerStatuses: [{ name: "runner", state }] };
  });
}

function workOn(
  api: FakeApi,
  pod: RawObject,
  { work, fate, now }: { work: readonly WorkItem[]; fate: FateOf; now: string },
): void {
  const [status] = (pod.status?.["containerStatuses"] ?? []) as {
    state: { running: { startedAt: string } };
  }[];
  const { startedAt } = status?.state.running ?? { startedAt: now };
  const end = (exit: ExitReason, message: string) =>
    setContainer(api, pod, exit === "done" ? "Succeeded" : "Failed", {
      terminated: { exitCode: EXIT_CODES[exit], message, startedAt, finishedAt: now },
    });
  const soFar = progressOf(pod.metadata.annotations?.[ANNOTATIONS.progress]);
  const seen = [...parseRanges(soFar.done), ...soFar.failures.map(({ index }) => index)];
  const next = work.find(({ slot }) => !seen.includes(slot));
  if (!next) return end("done", verdictText(soFar));
  const itsFate = fate({ id: next.id, attempt: next.attempt, pod: pod.metadata.name });
  if (typeof itsFate === "object" && "exits" in itsFate) return end(itsFate.exits, "the fake runner crashed");
  const through = (Date.parse(now) - Date.parse(startedAt)) / 1000;
  reportProgress(api, pod, withFate(soFar, next, { itsFate, through }));
}

interface Said extends Pick<ShardProgress, "done" | "turns"> {
  readonly failures: NonNullable<ShardProgress["failures"]>;
}

function withFate(
  { done, failures, turns }: Said,
  { id, slot, isShared }: WorkItem,
  { itsFate, through }: { itsFate: Fate; through: number },
): Said {
  const failureClass = typeof itsFate === "object" && "fails" in itsFate ? itsFate.fails : "unknown";
  const isDone = itsFate === "done";
  return {
    done: isDone ? formatRanges([...parseRanges(done), slot]) : done,
    failures: isDone
      ? failures
      : [...failures, { index: slot, id, class: failureClass, message: "as the test wanted" }],
    turns: isShared ? [...(turns ?? []), [slot, through]] : turns,
  };
}

function reportProgress(api: FakeApi, pod: RawObject, said: Said): void {
  const progress = {
    v: 1,
    ...said,
    failed: formatRanges(said.failures.map(({ index }) => index)),
    stages: {},
    gpuSeconds: parseRanges(said.done).length,
  };
  api.mutate("pods", pod.metadata.name, (raw) => {
    raw.metadata.annotations = {
      ...raw.metadata.annotations,
      [ANNOTATIONS.progress]: JSON.stringify(progress),
    };
  });
}

function progressOf(text: string | undefined): Said {
  return text === undefined ? { done: "", failures: [], turns: undefined } : (JSON.parse(text) as Said);
}

function verdictText({ done, failures, turns }: Said): string {
  const count = parseRanges(done).length;
  return encodeVerdict({
    v: 1,
    done,
    failed: failures,
    stages: { segment: count, place: count, upscale: count },
    gpuSeconds: count,
    coldStartSeconds: 1,
    wastedGpuSeconds: 0,
    ...(count > 0 && { stageTimes: { segment: { images: count, seconds: count / 2 } } }),
    turns,
  });
}

/** The operator's process died at a write. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export interface Kill {
  readonly point: WritePoint;
  /** The n-th write of this kind, from 1. */
  readonly occurrence: number;
  /** Whether the write still reached the API server. */
  readonly when: "before" | "after";
}

export interface FakeOperator {
  /** Looks at the cluster as it is now and passes over every job. @throws {Killed} */
  passAll(): Promise<{ acted: number }>;
  readonly planner: Planner;
  readonly caches: Caches;
  readonly memory: Memory;
  readonly writes: WritePoint[];
}

export function createFakeOperator(
  cluster: FakeCluster,
  {
    settings = someSettings(),
    kill,
    record,
  }: { settings?: ReconcileSettings; kill?: Kill; record?: (world: World, plan: Plan) => void } = {},
): FakeOperator {
  const { api, clock, notes } = cluster;
  const caches = createCaches();
  const memory = createMemory();
  const nowMs = () => clock.now().getTime();
  const planner = createPlanner({
    caches,
    memory,
    settings: DEFAULT_SETTINGS,
    shardSize: settings.shardSize,
    minIntervalMs: 0,
    onDue() {},
    record,
    look: (key) => look(key, caches, memory, { settings, nowMs: nowMs() }),
    onChanged() {},
    onMoved() {},
    onUnreadable(_key, error) {
      throw error;
    },
    onTrouble({ error }) {
      throw error;
    },
    clock,
  });
  feed(caches, memory, {
    onChanged: (key) => planner.invalidate(key),
    onWorldChanged: () => planner.invalidateAll(),
    nowMs,
  });
  const writes: WritePoint[] = [];
  const events = createEventReader({
    client: api,
    patienceSeconds: settings.standstillSeconds,
    onUnread(error) {
      throw error;
    },
  });
  const port = mortal(createKubernetesPort(api as unknown as ApiClient, caches), writes, kill);

  async function refill(): Promise<void> {
    const { opalJobs, jobs, pods, configMaps, gpuPools, opalQueues, nodes } = resourcesIn(NAMESPACE);
    const fill = async <T>(
      resource: Parameters<FakeApi["list"]>[0],
      store: { replace: (entries: ReturnType<typeof toEntry<T>>[], version: string) => void },
      parse: (raw: unknown) => T,
    ) => {
      const { items, resourceVersion } = await api.list(resource);
      store.replace(
        items.map((raw) => toEntry(raw, parse)),
        resourceVersion,
      );
    };
    await fill(gpuPools, caches.gpuPools, parseGpuPool);
    await fill(opalQueues, caches.opalQueues, parseOpalQueue);
    await fill(nodes, caches.nodes, parseGpuNode);
    await fill(opalJobs, opalJobTarget(caches, { skipped() {} }), readOpalJob);
    await fill(jobs, caches.childJobs, parseChildJob);
    await fill(pods, caches.pods, parseRunnerPod);
    await fill(configMaps, caches.configMaps, parseConfigMap);
  }

  const turns = createTurnLine({ perSecond: 1000, burst: 1000, clock, onTurn: () => {} });

  return {
    planner,
    caches,
    memory,
    writes,
    async passAll() {
      await refill();
      const before = writes.length;
      const unreadable = caches.unreadableOpalJobs.values();
      for (const key of [
        ...planner.keys,
        ...unreadable.map(({ metadata }) => `${NAMESPACE}/${metadata.name}`),
      ]) {
        try {
          await pass(key, {
            planner,
            memory,
            port,
            events,
            settings,
            pools: () => caches.gpuPools.values(),
            turns,
            queue: (name: string) => caches.opalQueues.get(name),
            unreadable: (key) => caches.unreadableOpalJobs.get(key),
            now: () => clock.now(),
            record: (_job, note) => notes.push(note),
          });
        } catch (error) {
          if (!(error instanceof StaleError)) throw error;
        }
      }
      await writeStatuses({
        caches,
        memory,
        port,
        settings: DEFAULT_SETTINGS,
        plan: () => planner.plan,
        riders: planner.riders,
        now: () => clock.now(),
      });
      return { acted: writes.length - before };
    },
  };
}

function mortal(port: ClusterPort, writes: WritePoint[], kill: Kill | undefined): ClusterPort {
  function at<A extends unknown[], R>(point: WritePoint, write: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      writes.push(point);
      const isFatal =
        kill?.point === point && writes.filter((other) => other === point).length === kill.occurrence;
      if (isFatal && kill.when === "before") throw new Killed(point);
      const result = await write(...args);
      if (isFatal) throw new Killed(point);
      return result;
    };
  }
  return {
    createJob: at("createJob", (manifest: JobManifest) => port.createJob(manifest)),
    createConfigMap: at("createConfigMap", (manifest: ConfigMapManifest) => port.createConfigMap(manifest)),
    resizeJob: at("resizeJob", (child: ChildRef, gpus: number) => port.resizeJob(child, gpus)),
    deleteJob: at("deleteJob", (child: ChildRef) => port.deleteJob(child)),
    writeStatus: at("writeStatus", (job: OpalJob | UnreadableOpalJob, status: object) =>
      port.writeStatus(job, status),
    ),
    deleteOpalJob: at("deleteOpalJob", (job: OpalJob) => port.deleteOpalJob(job)),
    failPod: at("failPod", (pod: ChildRef, end: PodEnd) => port.failPod(pod, end)),
    deletePod: at("deletePod", (pod: ChildRef) => port.deletePod(pod)),
    writePoolStatus: at("writePoolStatus", (pool: GpuPool, status: GpuPoolStatus) =>
      port.writePoolStatus(pool, status),
    ),
    writeQueueStatus: at("writeQueueStatus", (queue: OpalQueue, status: OpalQueueStatus) =>
      port.writeQueueStatus(queue, status),
    ),
  };
}
