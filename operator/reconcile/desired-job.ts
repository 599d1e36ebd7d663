import type { GpuPool } from "#crds/gpupool.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { EXIT_ACTIONS, EXIT_CODES } from "#crds/exit-codes.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, API_VERSION, childName, LABELS } from "#crds/names.ts";
import { carriedManifest, childLabels, correlationIdOf, type Attempt } from "./manifest.ts";
import type { ReconcileSettings } from "./settings.ts";
import { cutShards } from "./shards.ts";

export const RUNNER_CONTAINER = "runner";
const MANIFEST_DIR = "/etc/opal/manifest";
const DEFAULT_INFRASTRUCTURE_RETRIES = 3;

/** An object's annotations may take 256 KiB. Without it those items are done again, which their records make quick. */
const MAX_DONE_LENGTH = 40_000;

/** Kueue finds the LocalQueue of a Job by this label. */
const KUEUE_QUEUE_LABEL = "kueue.x-k8s.io/queue-name";

export interface Berth {
  readonly pool: GpuPool;
  /** GPUs of it. */
  readonly gpus: number;
  /** OpalQueue that pays for it. */
  readonly queue: string;
  readonly avoidNodes: readonly string[];
  /** Items that are done already. */
  readonly done: ReadonlySet<number>;
}

/** The Indexed Job of one attempt: an index is a shard, a pod has one GPU, parallelism is the allocation. */
export function desiredJob(job: OpalJob, attempt: Attempt, berth: Berth, settings: ReconcileSettings) {
  const shards = cutShards(attempt.items, attempt.shardSize);
  const name = childName(job.metadata.name, attempt.number);
  const labels = {
    ...childLabels(job, attempt.number),
    [LABELS.pool]: berth.pool.metadata.name,
    [LABELS.queue]: berth.queue,
  };
  const tracing = tracingAnnotations(job);
  const carried = carriedManifest(job, attempt);
  const manifests = carried ? carriedAs(carried.file) : { configMap: { name } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: job.metadata.namespace,
      labels: { ...labels, ...(settings.kueue && { [KUEUE_QUEUE_LABEL]: berth.queue }) },
      annotations: { ...tracing, ...attemptAnnotations(attempt, berth.done) },
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: "OpalJob",
          name: job.metadata.name,
          uid: job.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: {
      ...(settings.kueue && { suspend: true }),
      completionMode: "Indexed",
      completions: shards.length,
      parallelism: Math.min(berth.gpus, shards.length),
      backoffLimitPerIndex: job.spec.retry?.infrastructure ?? DEFAULT_INFRASTRUCTURE_RETRIES,
      podFailurePolicy: { rules: POD_FAILURE_RULES },
      podReplacementPolicy: "Failed",
      ttlSecondsAfterFinished: settings.childTtlSeconds,
      template: {
        metadata: {
          labels: { ...settings.runner.podLabels, ...labels },
          annotations: { ...tracing, ...(carried && { [ANNOTATIONS.manifest]: carried.text }) },
        },
        spec: podSpec(job, manifests, berth, settings),
      },
    },
  };
}
export type JobManifest = ReturnType<typeof desiredJob>;

/** Its pod's own annotation as the file that the runner reads. */
function carriedAs(path: string): object {
  const fieldRef = { fieldPath: `metadata.annotations['${ANNOTATIONS.manifest}']` };
  return { downwardAPI: { items: [{ path, fieldRef }] } };
}

/** Whether its pods find their manifest without a ConfigMap. */
export function carriesManifest(annotations: Readonly<Record<string, string>>): boolean {
  return annotations[ANNOTATIONS.manifest] !== undefined;
}

function attemptAnnotations(
  { items, shardSize, tileScale }: Attempt,
  done: ReadonlySet<number>,
): Record<string, string> {
  return {
    [ANNOTATIONS.items]: formatRanges(items),
    [ANNOTATIONS.shardSize]: String(shardSize),
    ...doneAnnotation(done),
    ...(tileScale !== 1 && { [ANNOTATIONS.tileScale]: String(tileScale) }),
  };
}

function doneAnnotation(done: ReadonlySet<number>): Record<string, string> {
  const ranges = formatRanges(done);
  return ranges === "" || ranges.length > MAX_DONE_LENGTH ? {} : { [ANNOTATIONS.done]: ranges };
}

function tracingAnnotations(job: OpalJob): Record<string, string> {
  const traceparent = job.metadata.annotations[ANNOTATIONS.traceparent];
  return {
    [ANNOTATIONS.correlationId]: correlationIdOf(job),
    ...(traceparent !== undefined && { [ANNOTATIONS.traceparent]: traceparent }),
  };
}

/**
 * Evictions first: a pod that is sent away may still end with a code that would count. Codes that only count
 * need no rule, and every other code counts too.
 */
function podFailureRules(): object[] {
  const codesFor = (wanted: "Ignore" | "FailIndex") =>
    (Object.keys(EXIT_ACTIONS) as (keyof typeof EXIT_ACTIONS)[])
      .filter((reason) => EXIT_ACTIONS[reason] === wanted)
      .map((reason) => EXIT_CODES[reason])
      .sort((a, b) => a - b);
  const onExit = (action: "Ignore" | "FailIndex") => ({
    action,
    onExitCodes: { containerName: RUNNER_CONTAINER, operator: "In", values: codesFor(action) },
  });
  return [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    onExit("Ignore"),
    onExit("FailIndex"),
  ];
}
const POD_FAILURE_RULES: readonly object[] = podFailureRules();

function podSpec(
  job: OpalJob,
  manifests: object,
  { pool, avoidNodes }: Berth,
  { runner }: ReconcileSettings,
) {
  const { resourceName, nodeSelector, tolerations } = pool.spec;
  return {
    restartPolicy: "Never",
    serviceAccountName: runner.serviceAccountName,
    terminationGracePeriodSeconds: runner.terminationGracePeriodSeconds,
    nodeSelector,
    ...(avoidNodes.length > 0 && { affinity: awayFrom(avoidNodes) }),
    tolerations,
    volumes: [{ name: "manifest", ...manifests }, ...(runner.volumes ?? [])],
    containers: [
      {
        name: RUNNER_CONTAINER,
        image: runner.image,
        ...(runner.imagePullPolicy !== undefined && { imagePullPolicy: runner.imagePullPolicy }),
        ...(runner.command && { command: runner.command }),
        ...(runner.args && { args: runner.args }),
        env: [...runnerEnv(job), ...(runner.env ?? [])],
        ...(runner.envFrom && { envFrom: runner.envFrom }),
        resources: { ...runner.resources, limits: { ...runner.resources?.["limits"], [resourceName]: 1 } },
        volumeMounts: [
          { name: "manifest", mountPath: MANIFEST_DIR, readOnly: true },
          ...(runner.volumeMounts ?? []),
        ],
        terminationMessagePolicy: "File",
      },
    ],
  };
}

/** Nodes on which the items' pods failed before. */
function awayFrom(nodes: readonly string[]): object {
  const matchFields = [{ key: "metadata.name", operator: "NotIn", values: nodes }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
}

/** JOB_COMPLETION_INDEX is set by Kubernetes. */
function runnerEnv(job: OpalJob): object[] {
  const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const traceparent = job.metadata.annotations[ANNOTATIONS.traceparent];
  return [
    fromPod("POD_NAME", "metadata.name"),
    fromPod("POD_NAMESPACE", "metadata.namespace"),
    fromPod("POD_UID", "metadata.uid"),
    { name: "OPAL_MANIFEST_DIR", value: MANIFEST_DIR },
    { name: "OPAL_CORRELATION_ID", value: correlationIdOf(job) },
    ...(traceparent === undefined ? [] : [{ name: "TRACEPARENT", value: traceparent }]),
  ];
}
