/** Builders for tests of decisions. */
import { OpalJob } from "#crds/opaljob.ts";
import type { GpuPool } from "#crds/gpupool.ts";
import type { ShardVerdict } from "#crds/runner-report.ts";
import type { Observed, ObservedChild, ObservedPod } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";
import { NO_USAGE } from "./usage.ts";

const pool: GpuPool = {
  name: "sim",
  spec: {
    gpuClass: "simulated",
    resourceName: "nvidia.com/gpu",
    vramGiB: 16,
    nodeSelector: { "opal.dev/gpu-class": "simulated" },
    tolerations: [{ key: "gpu", operator: "Exists" }],
    maxGpus: 8,
    spot: false,
    pricePerGpuHour: 3.6,
    startTimeoutSeconds: 120,
    stockOutCooldownSeconds: 600,
  },
};

export const settings: ReconcileSettings = {
  pool,
  runner: { image: "opal/runner", serviceAccountName: "opal-runner", terminationGracePeriodSeconds: 30 },
  shardSize: 4,
  childTtlSeconds: 3600,
  statusIntervalSeconds: 5,
  backgroundIntervalSeconds: 30,
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
    isDisrupted: false,
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
    items: [0],
    shardSize: 4,
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
    children: [],
    carried: NO_USAGE,
    placement: { kind: "admitted", pool: "sim", gpus: 1 },
    statusWrittenAtMs: START_MS,
    ...changes,
  };
}
