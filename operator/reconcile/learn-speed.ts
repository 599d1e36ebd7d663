import { type GpuPool, MAX_SPEEDS, type WorkloadSpeed } from "#crds/gpupool.ts";
import { fromTimestamp, toTimestamp } from "#crds/timestamp.ts";
import type { Speed } from "../schedule/world.ts";

/** A pod that has ended and said what it did. */
export interface Measurement {
  readonly workload: string;
  readonly images: number;
  /** Of one GPU, from the first stage on. */
  readonly seconds: number;
  readonly finishedAtMs: number;
}

/** A measurement weighs at least so much: speeds change with models and drivers. */
const MIN_WEIGHT = 0.1;
/** From the mean distance to the distance of the slowest tenth, if speeds are spread normally. */
const P90_IN_MEAN_DEVIATIONS = 1.6;

/** The pool's speeds after pods that ended since; the same object when none did. */
export function learn(
  status: GpuPool["status"],
  measurements: readonly Measurement[],
): Pick<GpuPool["status"], "speeds" | "learnedAt"> {
  const { speeds, learnedAt } = status;
  const sinceMs = fromTimestamp(learnedAt ?? "1970-01-01T00:00:00Z");
  const fresh = measurements
    .filter((one) => one.finishedAtMs > sinceMs && one.images > 0)
    .sort((a, b) => a.finishedAtMs - b.finishedAtMs);
  const last = fresh.at(-1);
  if (!last) return { ...(speeds && { speeds }), ...(learnedAt !== undefined && { learnedAt }) };
  let known = speeds ?? [];
  for (const one of fresh) {
    const before = known.find(({ workload }) => workload === one.workload);
    // The newest stands last, so that the oldest is forgotten first.
    known = [...known.filter((other) => other !== before), blended(before, one)];
  }
  return { speeds: known.slice(-MAX_SPEEDS), learnedAt: toTimestamp(last.finishedAtMs) };
}

function blended(
  before: WorkloadSpeed | undefined,
  { workload, images, seconds }: Measurement,
): WorkloadSpeed {
  const now = seconds / images;
  if (!before) return { workload, seconds: rounded(now), deviation: rounded(now / 4), images };
  const weight = Math.max(MIN_WEIGHT, images / (before.images + images));
  const mean = before.seconds + weight * (now - before.seconds);
  const deviation = before.deviation + weight * (Math.abs(now - mean) - before.deviation);
  return {
    workload,
    seconds: rounded(mean),
    deviation: rounded(deviation),
    images: before.images + images,
  };
}

/** What the scheduler reckons with, by workload. */
export function speedsOf({ speeds = [] }: GpuPool["status"]): Record<string, Speed> {
  return Object.fromEntries(
    speeds.map(({ workload, seconds, deviation }) => [
      workload,
      { p50: seconds, p90: seconds + P90_IN_MEAN_DEVIATIONS * deviation },
    ]),
  );
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
