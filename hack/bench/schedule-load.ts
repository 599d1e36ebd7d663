import {
  DEFAULT_SETTINGS,
  type JobState,
  type PoolState,
  type QueueState,
  type World,
} from "../../operator/schedule/world.ts";

/**
 * The load of bench:schedule: queues in cohorts of twenty with quotas, three pools of which two share a class,
 * jobs of a dozen shapes, a third of them gangs. All numbers follow from the index, so each run is the same.
 */
export function aBenchWorld(size: { jobs: number; queues: number }): World {
  return {
    pools: [aPool("t4-spot", "t4", 0.3, 200), aPool("t4", "t4", 0.9, 100), aPool("a100", "a100", 3.5, 100)],
    queues: Array.from({ length: size.queues }, (_, n) => aQueue(n)),
    jobs: Array.from({ length: size.jobs }, (_, n) => aBenchJob(n, size.queues)),
    settings: DEFAULT_SETTINGS,
  };
}

function aPool(name: string, gpuClass: string, pricePerGpuHour: number, maxGpus: number): PoolState {
  const faster = gpuClass === "a100" ? 4 : 1;
  const speed = (p50: number) => ({ p50: p50 / faster, p90: (p50 * 1.4) / faster });
  return {
    name,
    gpuClass,
    vramGiB: gpuClass === "a100" ? 80 : 16,
    maxGpus,
    spot: name.endsWith("spot"),
    pricePerGpuHour,
    startTimeoutSeconds: 120,
    stockOutCooldownSeconds: 600,
    strayGpus: 0,
    secondsPerImage: { studio: speed(6), generated: speed(20) },
  };
}

function aQueue(n: number): QueueState {
  return {
    name: `queue-${String(n).padStart(4, "0")}`,
    cohort: `cohort-${Math.floor(n / 20)}`,
    weight: 1 + (n % 3),
    quotas: [
      { gpuClass: "t4", nominal: 4, borrowingLimit: 20 },
      { gpuClass: "a100", nominal: 1, borrowingLimit: 8 },
    ],
    usage: [],
  };
}

export function aBenchJob(n: number, queues: number): JobState {
  const queue = n % queues;
  const kind = Math.floor(n / queues) + queue;
  return {
    uid: `uid-${String(n).padStart(7, "0")}`,
    key: `shop/job-${n}`,
    tenant: `tenant-${queue}`,
    queue: `queue-${String(queue).padStart(4, "0")}`,
    priority: kind % 7 === 0 ? 10 : 0,
    createdAtMs: n * 1000,
    classes: kind % 4 === 0 ? ["a100"] : [],
    minVramGiB: 0,
    minGpus: kind % 3 === 0 ? 4 : 1,
    maxGpus: kind % 3 === 0 ? 8 : 4,
    workload: kind % 2 === 0 ? "studio" : "generated",
    openImages: 20 + (n % 200),
    openShards: 4 + (n % 20),
    usedGpuSeconds: 0,
    endingGpus: {},
  };
}
