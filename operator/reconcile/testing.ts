/** Builders for tests of decisions. */
import { OpalJob } from "#crds/opaljob.ts";
import { GpuPool } from "#crds/gpupool.ts";
import type { ShardVerdict } from "#crds/runner-report.ts";
import type { Admitted, Waiting } from "../schedule/plan.ts";
import type { Observed, ObservedChild, ObservedPod } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";
import { NO_USAGE } from "./usage.ts";

export const pool = aPool();

/** A pool of eight GPUs at 3.6 an hour: a thousandth a second. */
export function aPool(name = "sim", spec: object = {}): GpuPool {
  return GpuPool.parse({
    metadata: { name, uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      gpuClass: "simulated",
      vramGiB: 16,
      nodeSelector: { "opal.dev/gpu-class": "simulated" },
      tolerations: [{ key: "gpu", operator: "Exists" }],
      maxGpus: 8,
      pricePerGpuHour: 3.6,
      ...spec,
    },
  });
}

export const settings: ReconcileSettings = {
  runner: { image: "opal/runner", serviceAccountName: "opal-runner", terminationGracePeriodSeconds: 30 },
  shardSize: 4,
  coalesce: { maxItems: 16 },
  childTtlSeconds: 3600,
  statusIntervalSeconds: 5,
  settleSeconds: 1.5,
  backgroundIntervalSeconds: 30,
  unreachableSeconds: 15,
  podStartTimeoutSeconds: 600,
  standstillSeconds: 5,
  kueue: false,
};

export const START_MS = Date.parse("2026-01-01T12:00:00Z");

export function anOpalJob(
  changes: { items?: number; spec?: object; status?: object; metadata?: object } = {},
): OpalJob {
  const items = Array.from({ length: changes.items ?? 1 }, (_, n) => ({
    id: `item-${n}`,
    source: `raw/shop/${n}.jpg`,
  }));
  return OpalJob.parse({
    metadata: {
      name: "coffee",
      namespace: "opal",
      uid: "uid-coffee",
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: "2026-01-01T12:00:00Z",
      ...changes.metadata,
    },
    spec: { tenant: "shop", items, brand: { placement: "studio" }, ...changes.spec },
    status: changes.status ?? {},
  });
}

const ETA = { finishP50Ms: START_MS + 60_000, finishP90Ms: START_MS + 120_000 };
export const admittedTo = (name: string, gpus: number): Admitted => ({
  kind: "admitted",
  pool: name,
  gpus,
  eta: ETA,
});

export const waitingFor: Waiting = {
  kind: "waiting",
  position: 2,
  blockedOn: "order",
  because: "1 job stands before it.",
  unblockedBy: "it has ended",
  eta: { startP50Ms: START_MS + 30_000, startP90Ms: START_MS + 45_000, ...ETA },
};

let pods = 0;
export function aPod(changes: Partial<ObservedPod> = {}): ObservedPod {
  pods++;
  return {
    uid: `pod-${pods}`,
    name: `pod-${pods}`,
    shard: 0,
    phase: "Running",
    createdAtMs: START_MS,
    startedAtMs: START_MS,
    isGone: false,
    ...changes,
  };
}

export function aVerdict(changes: Partial<ShardVerdict> = {}): ShardVerdict {
  return {
    v: 1,
    done: "",
    failed: [],
    stages: { segment: 0, place: 0, upscale: 0 },
    gpuSeconds: 0,
    coldStartSeconds: 0,
    wastedGpuSeconds: 0,
    ...changes,
  };
}

export function aChild(changes: Partial<ObservedChild> = {}): ObservedChild {
  const attempt = changes.attempt ?? 1;
  return {
    uid: `child-${attempt}`,
    name: `coffee-${attempt}`,
    attempt,
    pool: pool.metadata.name,
    pricePerGpuHour: pool.spec.pricePerGpuHour,
    vramGiB: pool.spec.vramGiB,
    createdAtMs: START_MS,
    isSuspended: false,
    items: [0],
    doneBefore: [],
    shardSize: 4,
    tileScale: 1,
    parallelism: 1,
    isDeleting: false,
    hasManifest: true,
    isEnded: false,
    succeededShards: new Set(),
    failedShards: new Set(),
    pods: [],
    ...changes,
  };
}

export function anObserved(changes: Partial<Observed> = {}): Observed {
  return {
    job: anOpalJob(),
    createdAtMs: START_MS,
    deletedAtMs: undefined,
    completedAtMs: undefined,
    queue: "shop",
    children: [],
    takenNumber: 0,
    carried: NO_USAGE,
    placement: admittedTo("sim", 1),
    target: pool,
    statusWrittenAtMs: START_MS,
    launchSeenMs: undefined,
    runningSinceMs: undefined,
    ...changes,
  };
}
