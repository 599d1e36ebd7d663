/**
 * bench:schedule: how long the pure scheduler takes. For each size it plans a world of waiting jobs in full,
 * every job's place, reason and estimate included, and then steps through arrivals and completions.
 *
 * Usage: npm run bench:schedule [-- --json] [-- --rounds N]
 */
import { parseArgs } from "node:util";
import type { Plan } from "../../operator/schedule/plan.ts";
import { type Planner, type WorldChange, createPlanner } from "../../operator/schedule/scheduler.ts";
import type { JobState, World } from "../../operator/schedule/world.ts";
import { quantile, reportLines } from "./report.ts";
import { aBenchWorld, aBenchJob } from "./schedule-load.ts";

const SIZES = [
  { jobs: 1000, queues: 20 },
  { jobs: 10_000, queues: 200 },
  { jobs: 50_000, queues: 1000 },
] as const;
/** After a step the operator asks for the jobs whose part has changed and for some that have only moved. */
const ASKED_AFTER_STEP = 50;
const STEPS = 300;

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "25" } },
});
const rounds = Math.max(3, Number(values.rounds) || 25);

function timed(work: () => void): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

/** A plan from nothing, with all that the operator could write of it. */
function planFully(world: World, nowMs: number): Plan {
  const plan = createPlanner(world).plan(nowMs);
  for (const { uid } of world.jobs) plan.placementOf(uid);
  return plan;
}

/** The world after the plan: what was admitted holds its GPUs. */
function settled(world: World, plan: Plan): World {
  const jobs = world.jobs.map((job): JobState => {
    const admitted = plan.admitted.get(job.uid);
    if (!admitted) return job;
    const { pool, gpus } = admitted;
    const holding = {
      pool,
      gpus,
      sinceMs: plan.nowMs,
      startedGpus: gpus,
      shardGpuSeconds: 0,
      unsavedGpuSeconds: 0,
    };
    return { ...job, holding };
  });
  return { ...world, jobs };
}

function stepTimes(world: World, nowMs: number): number[] {
  const planner: Planner = createPlanner(world);
  let plan = planner.plan(nowMs);
  const holders = world.jobs.filter(({ holding }) => holding);
  const times: number[] = [];
  for (let n = 0; n < STEPS; n++) {
    const done = holders[n % holders.length];
    const isArrival = n % 2 === 0 || !done;
    const change: WorldChange = isArrival
      ? { jobs: [aBenchJob(1_000_000 + n, world.queues.length)] }
      : { goneJobs: [done.uid] };
    times.push(
      timed(() => {
        plan = planner.step(change, nowMs + n * 1000);
        for (let asked = 0; asked < ASKED_AFTER_STEP; asked++) {
          const job = world.jobs[(asked * 997 + n) % world.jobs.length];
          if (job) plan.placementOf(job.uid);
        }
      }),
    );
    // What the step has admitted holds its GPUs from the next step on.
    if (!isArrival) planner.step({ jobs: newlyAdmitted(world, plan, done) }, nowMs + n * 1000);
  }
  return times;
}

function newlyAdmitted(world: World, plan: Plan, gone: JobState): JobState[] {
  return settled(
    {
      ...world,
      jobs: world.jobs.filter((job) => job !== gone && !job.holding && plan.admitted.has(job.uid)),
    },
    plan,
  ).jobs.slice();
}

const figures: Record<string, number> = {};
for (const size of SIZES) {
  const waiting = aBenchWorld(size);
  const nowMs = waiting.settings.usageHalfLifeSeconds * 1_000_000;
  const world = settled(waiting, planFully(waiting, nowMs));
  planFully(world, nowMs);
  const full = Array.from({ length: rounds }, () => timed(() => planFully(world, nowMs)));
  const steps = stepTimes(world, nowMs);
  const isLargest = size === SIZES.at(-1);
  const of = isLargest ? "" : `_${size.jobs}`;
  figures[`full_plan_p50_ms${of}`] = quantile(full, 0.5);
  figures[`full_plan_p99_ms${of}`] = quantile(full, 0.99);
  figures[`step_p50_ms${of}`] = quantile(steps, 0.5);
  figures[`step_p99_ms${of}`] = quantile(steps, 0.99);
}
figures["rss_mb"] = process.resourceUsage().maxRSS / 1024;

const goals = [
  { name: "full_plan_p99_ms", value: figures["full_plan_p99_ms"] ?? 0, goal: 300, better: "lower" as const },
  { name: "step_p99_ms", value: figures["step_p99_ms"] ?? 0, goal: 20, better: "lower" as const },
  { name: "rss_mb", value: figures["rss_mb"], goal: 400, better: "lower" as const },
];
for (const line of reportLines({ bench: "schedule", figures, goals }, values.json)) console.log(line);
