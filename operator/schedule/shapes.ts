import { type Needs, type Rung, ladderFor, neededGpus } from "./ladder.ts";
import type { JobState, PoolState, ScheduleSettings } from "./world.ts";

/** Jobs of equal needs: where one of them does not fit, none does. */
export interface Shape {
  readonly needs: Needs;
  readonly ladder: readonly Rung[];
  /** Names the set of pools that can take it; empty: none. */
  readonly lane: string;
  /** Noted in a round, see `isOutOfReach`. */
  reach: { readonly round: object; readonly version: number; readonly isOut: boolean } | undefined;
}

/** By workload and by GPUs that are needed at once; what is left to tell apart are a few. */
export type Shapes = Map<string, Map<number, Shape[]>>;

interface Known {
  readonly shapes: Shapes;
  readonly pools: readonly PoolState[];
  readonly settings: ScheduleSettings;
}

/** The one shape of all jobs with these needs. Asked for every job: no key is put together. */
export function shapeOf({ shapes, pools, settings }: Known, job: JobState): Shape {
  const gpus = neededGpus(job);
  let byGpus = shapes.get(job.workload);
  if (!byGpus) shapes.set(job.workload, (byGpus = new Map()));
  let alike = byGpus.get(gpus);
  if (!alike) byGpus.set(gpus, (alike = []));
  for (const shape of alike) if (isFor(job, shape.needs)) return shape;
  const { classes, minVramGiB, workload } = job;
  const shape = newShape({ classes, minVramGiB, workload, gpus }, pools, settings);
  alike.push(shape);
  return shape;
}

function isFor(job: JobState, { classes, minVramGiB }: Needs): boolean {
  return job.minVramGiB === minVramGiB && isSameSet(job.classes, classes);
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  if (some.length < 2) return some[0] === others[0];
  return some.every((one) => others.includes(one)) && others.every((one) => some.includes(one));
}

function newShape(needs: Needs, pools: readonly PoolState[], settings: ScheduleSettings): Shape {
  const ladder = ladderFor(needs, pools, settings);
  const lane = ladder
    .map(({ pool }) => pool)
    .sort((a, b) => a - b)
    .join();
  return { needs, ladder, lane, reach: undefined };
}
