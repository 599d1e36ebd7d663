import fc from "fast-check";
import { expect, it } from "vitest";
import type { Placement } from "./plan.ts";
import { schedule } from "./scheduler.ts";
import { type SimulatedJob, createSimulation } from "./testing-simulation.ts";
import { aJob, aPool, aQueue, aWorld } from "./testing.ts";
import { DEFAULT_SETTINGS, type World } from "./world.ts";

/**
 * Are forecasts true? Random clusters are played to their end, and what each job was told when it came is
 * compared with what happened. Pictures of a job take as long as those of pools that learn their speeds do: half
 * of the jobs longer than p50, one in ten longer than p90.
 */
interface Trace {
  readonly world: World;
  readonly jobs: readonly SimulatedJob[];
}

const SHARD_IMAGES = 4;
const P90_BY_P50 = 1.3;
/** The standard normal distribution in twenty equal parts. */
const NORMAL = [0.063, 0.189, 0.319, 0.454, 0.598, 0.755, 0.935, 1.15, 1.44, 1.96].flatMap((z) => [-z, z]);
const SLOWNESS = NORMAL.map((z) => P90_BY_P50 ** (z / 1.2816));

const somePool = fc.record({
  gpuClass: fc.constantFrom("t4", "a100"),
  maxGpus: fc.integer({ min: 2, max: 8 }),
  pricePerGpuHour: fc.integer({ min: 1, max: 4 }),
});
const someJob = fc.record({
  queue: fc.nat(2),
  classes: fc.constantFrom([], [], [], ["t4"]),
  minGpus: fc.constantFrom(1, 1, 1, 1, 2),
  more: fc.integer({ min: 0, max: 3 }),
  shards: fc.integer({ min: 1, max: 10 }),
  slowness: fc.constantFrom(...SLOWNESS),
  gap: fc.integer({ min: 0, max: 20 }),
});
/** @param load work that arrives in a second, by what all GPUs do in a second */
const someTrace = (load: number): fc.Arbitrary<Trace> =>
  fc
    .record({
      pools: fc.array(somePool, { minLength: 1, maxLength: 3 }),
      weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
      seconds: fc.integer({ min: 4, max: 12 }),
      jobs: fc.array(someJob, { minLength: 60, maxLength: 60 }),
    })
    .map(({ pools, weights, seconds, jobs }) => {
      const studio = { p50: seconds, p90: seconds * P90_BY_P50 };
      const states = pools.map((pool, n) => aPool(`pool-${n}`, { ...pool, secondsPerImage: { studio } }));
      const gpus = states.reduce((sum, { maxGpus }) => sum + maxGpus, 0);
      const work = jobs.reduce((sum, { shards }) => sum + shards * SHARD_IMAGES * seconds, 0);
      const spanMs = (1000 * work) / gpus / load;
      const gaps = jobs.reduce((sum, { gap }) => sum + gap, 0);
      let passed = 0;
      return {
        world: aWorld({
          pools: states,
          queues: weights.map((weight, n) => aQueue(`q${n}`, { weight })),
          settings: { ...DEFAULT_SETTINGS, reloadSeconds: 0 },
        }),
        jobs: jobs.map(({ queue, more, shards, slowness, gap, ...job }, n): SimulatedJob => {
          passed += gap;
          return {
            ...aJob(`j${n}`, {
              ...job,
              classes: states.some(({ gpuClass }) => gpuClass === "t4") ? job.classes : [],
              queue: `q${queue}`,
              maxGpus: job.minGpus + more,
              openShards: shards,
              openImages: shards * SHARD_IMAGES,
            }),
            arrivesAfterMs: Math.round((spanMs * passed) / Math.max(1, gaps)),
            shardMs: Math.round(1000 * seconds * SHARD_IMAGES * slowness),
          };
        }),
      };
    });

interface Outcome {
  readonly isInP90: boolean;
  /** Of what was foreseen by half, as a part of the time from then to the end. */
  readonly error: number;
}

function outcomesOf({ world, jobs }: Trace): Outcome[] {
  const simulation = createSimulation(world, jobs);
  const told = new Map<string, { atMs: number; placement: Placement }>();
  while (!simulation.isDone) {
    const plan = schedule(simulation.world, simulation.nowMs);
    for (const { uid } of simulation.world.jobs) {
      const placement = told.has(uid) ? undefined : plan.placementOf(uid);
      if (placement) told.set(uid, { atMs: plan.nowMs, placement });
    }
    simulation.apply(plan);
    if (!simulation.advance(plan.wakeAtMs)) break;
  }
  return [...told].flatMap(([uid, { atMs, placement }]) => {
    const endMs = simulation.finishedAtMs.get(uid);
    if (endMs === undefined || !placement.eta) return [];
    const { finishP50Ms, finishP90Ms } = placement.eta;
    return {
      isInP90: endMs <= finishP90Ms,
      error: Math.abs(endMs - finishP50Ms) / Math.max(1, endMs - atMs),
    };
  });
}

/** On clusters that the numbers in `eta.ts` were not fitted to. */
function howTrue(load: number): { covered: number; medianError: number; jobs: number } {
  const outcomes = fc.sample(someTrace(load), { seed: 11, numRuns: 16 }).flatMap(outcomesOf);
  const errors = outcomes.map(({ error }) => error).sort((a, b) => a - b);
  return {
    jobs: outcomes.length,
    covered: outcomes.filter(({ isInP90 }) => isInP90).length / outcomes.length,
    medianError: errors[errors.length >> 1] ?? Infinity,
  };
}

it.for([
  { load: 1000, error: 0.2, name: "when nothing more arrives" },
  { load: 1.3, error: 0.25, name: "while others arrive with more work than there are GPUs" },
  { load: 0.8, error: 0.25, name: "while others arrive with some GPUs to spare" },
])(
  "nine of ten jobs are done by p90, and p50 is near, $name",
  { timeout: 60_000 },
  async ({ load, error }, { annotate }) => {
    const { covered, medianError, jobs } = howTrue(load);
    const figures = `${jobs} jobs: p90 holds for ${(100 * covered).toFixed(1)} %, p50 is off by ${(100 * medianError).toFixed(1)} %`;
    await annotate(figures);
    expect(covered, figures).toBeGreaterThan(0.85);
    expect(covered, figures).toBeLessThan(0.95);
    expect(medianError, figures).toBeLessThan(error);
  },
);
