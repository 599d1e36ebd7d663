/**
 * What the operator knows of the cluster: OpalJobs, their child Jobs, those Jobs' pods, which ConfigMaps exist,
 * pools, queues and nodes. Filled by reflectors; written to only through what the API server answered.
 */
import { GpuPool } from "#crds/gpupool.ts";
import { LABELS } from "#crds/names.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { OpalQueue } from "#crds/opalqueue.ts";
import type { UnreadableOpalJob } from "../reconcile/unreadable.ts";
import type { ApiClient, Resource } from "../runtime/api-client.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { RuntimeMetrics } from "../runtime/metrics.ts";
import { createReflector, type Reflector, type ReflectorTarget, toEntry } from "../runtime/reflector.ts";
import { Store } from "../runtime/store.ts";
import { type ChildJob, parseChildJob } from "./child-job.ts";
import { type GpuNode, parseGpuNode } from "./gpu-node.ts";
import { opalJobTarget, readOpalJob } from "./opal-jobs.ts";
import type { Resources } from "./resources.ts";
import { parseRunnerPod, type RunnerPod } from "./runner-pod.ts";

export interface Caches {
  readonly opalJobs: Store<OpalJob>;
  readonly unreadableOpalJobs: Store<UnreadableOpalJob>;
  readonly childJobs: Store<ChildJob, "owner" | "uid">;
  readonly pods: Store<RunnerPod, "child" | "opalJob" | "node" | "queue" | "pool">;
  /** Keys only: what is in them can be derived. */
  readonly configMaps: Store<{ opalJob: string }>;
  readonly gpuPools: Store<GpuPool>;
  readonly opalQueues: Store<OpalQueue>;
  readonly nodes: Store<GpuNode>;
}

export const parseGpuPool = (raw: unknown): GpuPool => GpuPool.parse(raw);
export const parseOpalQueue = (raw: unknown): OpalQueue => OpalQueue.parse(raw);
export const parseOpalJob = (raw: unknown): OpalJob => OpalJob.parse(raw);

export const parseConfigMap = (raw: unknown): { opalJob: string } => ({
  opalJob: (raw as { metadata?: { labels?: Record<string, string> } }).metadata?.labels?.[LABELS.job] ?? "",
});

export function createCaches(): Caches {
  return {
    opalJobs: new Store<OpalJob>({}),
    unreadableOpalJobs: new Store<UnreadableOpalJob>({}),
    childJobs: new Store<ChildJob, "owner" | "uid">({
      owner: (job) => job.ownerUids,
      uid: (job) => [job.uid],
    }),
    pods: new Store<RunnerPod, "child" | "opalJob" | "node" | "queue" | "pool">({
      node: (pod) => (pod.nodeName === undefined ? [] : [pod.nodeName]),
      queue: (pod) => [pod.queue],
      pool: (pod) => [pod.pool],
      child: (pod) => [pod.childUid],
      opalJob: (pod) => [`${pod.namespace}/${pod.opalJob}`],
    }),
    configMaps: new Store<{ opalJob: string }>({}),
    gpuPools: new Store<GpuPool>({}),
    opalQueues: new Store<OpalQueue>({}),
    nodes: new Store<GpuNode>({}),
  };
}

/** Puts the API server's answer to a write into the caches. */
export function noteWritten<T>(
  store: { written: Store<T>["written"] },
  raw: unknown,
  parse: (raw: unknown) => T,
): void {
  store.written(toEntry(raw, parse));
}

export function noteConfigMap(caches: Caches, raw: unknown): void {
  noteWritten(caches.configMaps, raw, parseConfigMap);
}

export interface ReflectorDeps {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Pick<RuntimeMetrics, "reflector">;
  /** A watch that is silent for so long is begun anew. */
  readonly staleSeconds: number;
}

/** So short at most that all is seen within 5 s of the end of an outage, however long that was. */
const BACKOFF = { baseMs: 200, maxMs: 3000 };

export function createReflectors(
  caches: Caches,
  resources: Resources,
  deps: ReflectorDeps,
): readonly Reflector[] {
  const ours = { labelSelector: LABELS.job };
  function reflect<T>(
    resource: Resource,
    target: ReflectorTarget<T>,
    transform: (raw: unknown) => T,
    options: { labelSelector?: string; metadataOnly?: boolean } = {},
  ): Reflector {
    const { client, clock, random, log, metrics, staleSeconds } = deps;
    return createReflector<T>({
      source: {
        list: (page, signal) => client.list(resource, { ...options, ...page }, signal),
        watch: (from) => client.watch(resource, { ...options, ...from }),
      },
      target,
      transform,
      observer: metrics.reflector(resource.plural, log),
      clock,
      random,
      backoff: BACKOFF,
      staleMs: staleSeconds * 1000,
    });
  }
  return [
    reflect(
      resources.opalJobs,
      opalJobTarget(caches, deps.metrics.reflector(resources.opalJobs.plural, deps.log)),
      readOpalJob,
    ),
    reflect(resources.jobs, caches.childJobs, parseChildJob, ours),
    reflect(resources.pods, caches.pods, parseRunnerPod, ours),
    reflect(resources.configMaps, caches.configMaps, parseConfigMap, { ...ours, metadataOnly: true }),
    reflect(resources.gpuPools, caches.gpuPools, parseGpuPool),
    reflect(resources.opalQueues, caches.opalQueues, parseOpalQueue),
    reflect(resources.nodes, caches.nodes, parseGpuNode),
  ];
}
