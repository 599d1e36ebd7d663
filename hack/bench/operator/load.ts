import { parse, stringify } from "yaml";
import * as z from "zod";

/** The load of Kueue's scheduler bench, read from its own generator's file, so that both sides get the same. */
export interface Load {
  readonly queues: readonly QueueLoad[];
  /** How many jobs there are in all. */
  readonly jobs: number;
  /** The generator's file again, for Kueue's runner. */
  readonly generator: string;
}

export interface QueueLoad {
  readonly name: string;
  readonly cohort: string;
  /** GPUs of its own, and how many more it may borrow. */
  readonly nominal: number;
  readonly borrowingLimit: number;
  readonly sets: readonly JobSet[];
}

/** Jobs of one class, applied one after another at an interval. */
export interface JobSet {
  readonly className: string;
  readonly count: number;
  readonly intervalMs: number;
  /** GPUs that it needs all at once. */
  readonly gpus: number;
  readonly runMs: number;
  readonly priority: number;
}

const Generator = z.object({
  cohorts: z.array(
    z.looseObject({
      className: z.string(),
      count: z.int(),
      queuesSets: z.array(
        z.looseObject({
          className: z.string(),
          count: z.int(),
          nominalQuota: z.coerce.number(),
          borrowingLimit: z.coerce.number(),
          workloadsSets: z.array(
            z.looseObject({
              count: z.int(),
              creationIntervalMs: z.number(),
              workloads: z.tuple([
                z.looseObject({
                  className: z.string(),
                  runtimeMs: z.number(),
                  priority: z.int(),
                  request: z.coerce.number(),
                }),
              ]),
            }),
          ),
        }),
      ),
    }),
  ),
});
type Generator = z.infer<typeof Generator>;
type QueuesSet = Generator["cohorts"][number]["queuesSets"][number];

/**
 * @param text YAML of Kueue's generator
 * @param fraction of the jobs of each set that are taken, above 0 and at most 1; rates and quotas stay
 */
export function readLoad(text: string, fraction: number): Load {
  const generator = Generator.parse(parse(text));
  for (const set of generator.cohorts.flatMap(({ queuesSets }) => queuesSets)) {
    for (const jobs of set.workloadsSets) jobs.count = Math.max(1, Math.round(jobs.count * fraction));
  }
  const queues = generator.cohorts.flatMap(({ className, count, queuesSets }) =>
    times(count).flatMap((cohort) =>
      queuesSets.flatMap((set, index) =>
        times(set.count).map((queue) => ({
          name: `${set.className}-${index}-${queue}-${className}-${cohort}`,
          cohort: `${className}-${cohort}`,
          ...queueLoad(set),
        })),
      ),
    ),
  );
  const sizes = queues.flatMap(({ sets }) => sets.map(({ count }) => count));
  return { queues, jobs: sizes.reduce((sum, size) => sum + size, 0), generator: stringify(generator) };
}

function queueLoad({ nominalQuota, borrowingLimit, workloadsSets }: QueuesSet) {
  return {
    nominal: nominalQuota,
    borrowingLimit,
    sets: workloadsSets.map(({ count, creationIntervalMs, workloads: [job] }) => ({
      className: job.className,
      count,
      intervalMs: creationIntervalMs,
      gpus: job.request,
      runMs: job.runtimeMs,
      priority: job.priority,
    })),
  };
}

function times(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
