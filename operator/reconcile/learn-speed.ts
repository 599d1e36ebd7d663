import { type GpuPool, MAX_SPEEDS, MAX_STAGE_SPEEDS, type WorkloadSpeed } from "#crds/gpupool.ts";
import { fromTimestamp, toTimestamp } from "#crds/timestamp.ts";
import type { Speed } from "../schedule/world.ts";

/** A pod that has ended and said what it did. */
export interface Measurement {
  readonly workload: string;
  readonly images: number;
  /** Of one GPU, from the first stage on. */
  readonly seconds: number;
  readonly stages: readonly StageMeasurement[];
  readonly finishedAtMs: number;
}

/** What it did of one stage; pictures whose stage an earlier pod had finished are not among them. */
export interface StageMeasurement {
  /** As `stageWork` names it. */
  readonly stage: string;
  readonly images: number;
  readonly seconds: number;
}

/** A measurement weighs at least so much: speeds change with models and drivers. */
const MIN_WEIGHT = 0.1;
/** From the mean distance to the distance of the slowest tenth, if speeds are spread normally. */
const P90_IN_MEAN_DEVIATIONS = 1.6;

type Known = Pick<GpuPool["status"], "speeds" | "stageSpeeds" | "learnedAt">;
type Average = Omit<WorkloadSpeed, "workload">;
/** By name; the newest stands last, so that the oldest is forgotten first. */
type Averages = Map<string, Average>;

/** The pool's speeds after pods that ended since; as they were when none did. */
export function learn(
  { speeds, stageSpeeds, learnedAt }: Known,
  measurements: readonly Measurement[],
): Known {
  const sinceMs = fromTimestamp(learnedAt ?? "1970-01-01T00:00:00Z");
  const fresh = measurements
    .filter((one) => one.finishedAtMs > sinceMs && (one.images > 0 || one.stages.length > 0))
    .sort((a, b) => a.finishedAtMs - b.finishedAtMs);
  const last = fresh.at(-1);
  const works: Averages = new Map((speeds ?? []).map(({ workload, ...average }) => [workload, average]));
  const stages: Averages = new Map((stageSpeeds ?? []).map(({ stage, ...average }) => [stage, average]));
  for (const one of fresh) {
    add(works, one.workload, one);
    for (const part of one.stages) add(stages, part.stage, part);
  }
  const newLearnedAt = last ? toTimestamp(last.finishedAtMs) : learnedAt;
  return {
    ...(works.size > 0 && {
      speeds: [...works].slice(-MAX_SPEEDS).map(([workload, average]) => ({ workload, ...average })),
    }),
    ...(stages.size > 0 && {
      stageSpeeds: [...stages].slice(-MAX_STAGE_SPEEDS).map(([stage, average]) => ({ stage, ...average })),
    }),
    ...(newLearnedAt !== undefined && { learnedAt: newLearnedAt }),
  };
}

function add(averages: Averages, name: string, measurement: { images: number; seconds: number }): void {
  if (measurement.images === 0) return;
  const before = averages.get(name);
  averages.delete(name);
  averages.set(name, blended(before, measurement));
}

function blended(
  before: Average | undefined,
  { images, seconds }: { images: number; seconds: number },
): Average {
  const now = seconds / images;
  if (!before) return { seconds: rounded(now), deviation: rounded(now / 4), images };
  const weight = Math.max(MIN_WEIGHT, images / (before.images + images));
  const mean = before.seconds + weight * (now - before.seconds);
  const deviation = before.deviation + weight * (Math.abs(now - mean) - before.deviation);
  return { seconds: rounded(mean), deviation: rounded(deviation), images: before.images + images };
}

/** What the scheduler reckons with: by workload, and by stage for workloads that were never measured. */
export function speedsOf({ speeds = [], stageSpeeds = [] }: GpuPool["status"]): Record<string, Speed> {
  return Object.fromEntries([
    ...stageSpeeds.map(({ stage, ...average }) => [stage, speedOf(average)] as const),
    // A workload of one stage has that stage's name, and what it takes in all counts.
    ...speeds.map(({ workload, ...average }) => [workload, speedOf(average)] as const),
  ]);
}

function speedOf({ seconds, deviation }: Average): Speed {
  return { p50: seconds, p90: seconds + P90_IN_MEAN_DEVIATIONS * deviation };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
