import { compareText } from "./order.ts";
import type { JobState, PoolState, ScheduleSettings, Speed } from "./world.ts";
import { stagesIn } from "./workload.ts";

/**
 * The price ladder: the pools that can take a job, the one with the cheapest picture first. Price of a picture =
 * measured GPU time × price, so a dear but fast pool may well stand before a cheap and slow one.
 */
export interface Rung {
  /** Index in the list of pools. */
  readonly pool: number;
  readonly secondsPerImage: Speed;
  readonly pricePerImage: number;
}

/** What decides which pools can take a job: jobs with the same needs climb the same ladder. */
export interface Needs {
  readonly classes: readonly string[];
  readonly minVramGiB: number;
  readonly workload: string;
  /** GPUs that it needs at once. */
  readonly gpus: number;
}

/** GPUs that the job needs at once: its gang, but no more than it has shards left. */
export function neededGpus(job: JobState): number {
  return Math.max(1, Math.min(job.minGpus, job.openShards));
}

/** GPUs that it can use at most. */
export function wantedGpus(job: JobState): number {
  return Math.max(neededGpus(job), Math.min(job.maxGpus, job.openShards));
}

export function hasClass(needs: Needs, pool: PoolState): boolean {
  return needs.classes.length === 0 || needs.classes.includes(pool.gpuClass);
}

function canTake(needs: Needs, pool: PoolState): boolean {
  return hasClass(needs, pool) && needs.minVramGiB <= pool.vramGiB && needs.gpus <= pool.maxGpus;
}

/** Cheapest picture first; of equal price the fastest, then by name. */
export function ladderFor(
  needs: Needs,
  pools: readonly PoolState[],
  settings: ScheduleSettings,
): readonly Rung[] {
  const rungs: Rung[] = [];
  for (const [index, pool] of pools.entries()) {
    if (!canTake(needs, pool)) continue;
    const secondsPerImage = speedOn(pool, needs.workload, settings);
    const pricePerImage = (secondsPerImage.p50 * pool.pricePerGpuHour) / 3600;
    rungs.push({ pool: index, secondsPerImage, pricePerImage });
  }
  const name = (rung: Rung) => pools[rung.pool]?.name ?? "";
  return rungs.sort(
    (a, b) =>
      a.pricePerImage - b.pricePerImage ||
      a.secondsPerImage.p50 - b.secondsPerImage.p50 ||
      compareText(name(a), name(b)),
  );
}

/**
 * As measured; of a workload that this pool has never done, the sum of its stages, if it has done each of them for
 * others; else as assumed, and nine of ten within twice that.
 */
function speedOn(pool: PoolState, workload: string, settings: ScheduleSettings): Speed {
  const { assumedSecondsPerImage } = settings;
  return (
    measured(pool, workload) ??
    sumOfStages(pool, workload) ?? { p50: assumedSecondsPerImage, p90: 2 * assumedSecondsPerImage }
  );
}

function measured({ secondsPerImage }: PoolState, work: string): Speed | undefined {
  return Object.hasOwn(secondsPerImage, work) ? secondsPerImage[work] : undefined;
}

/** Stages are slow and fast independently of each other. */
function sumOfStages(pool: PoolState, workload: string): Speed | undefined {
  let p50 = 0;
  let spread2 = 0;
  for (const stage of stagesIn(workload)) {
    const speed = measured(pool, stage);
    if (!speed) return undefined;
    p50 += speed.p50;
    spread2 += (speed.p90 - speed.p50) ** 2;
  }
  return { p50, p90: p50 + Math.sqrt(spread2) };
}

/** Expected time of the job's open pictures on so many GPUs, without its start. */
export function workSeconds(job: JobState, secondsPerImage: number, gpus: number): number {
  return (job.openImages * secondsPerImage) / Math.max(1, gpus);
}

/** Expected GPU time of one of the job's open shards. */
export function shardSeconds(job: JobState, rung: Rung): number {
  return (job.openImages * rung.secondsPerImage.p50) / Math.max(1, job.openShards);
}

/** Nine of ten stay below the mean plus so many standard deviations. */
export const P90_DEVIATIONS = 1.2816;

/** Expected GPU time of so many pictures on a rung. */
export function workMs(images: number, { secondsPerImage }: Rung): number {
  return 1000 * images * secondsPerImage.p50;
}

/** Its variance, in squared milliseconds. */
export function varianceMs2(images: number, { secondsPerImage: { p50, p90 } }: Rung): number {
  return ((1000 * images * (p90 - p50)) / P90_DEVIATIONS) ** 2;
}
