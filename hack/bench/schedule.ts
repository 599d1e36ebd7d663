/**
 * bench:schedule: how long the pure scheduler takes. For each size it plans a world of waiting jobs in full,
 * every job's place, reason and estimate included, and then steps through arrivals and completions. It runs
 * itself again with a heap of HEAP_MIB, as a pod with limited memory does: without a limit Node collects its
 * garbage so late that the peak says nothing of what is needed.
 *
 * Usage: npm run bench:schedule [-- --json] [-- --rounds N]
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import type { Plan } from "../../operator/schedule/plan.ts";
import { type Scheduler, type WorldChange, createScheduler } from "../../operator/schedule/scheduler.ts";
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
const STEP_MS = 1000;

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
  const plan = createScheduler(world).plan(nowMs);
  for (const { uid } of world.jobs) plan.placementOf(uid);
  return plan;
}

/** The job after the plan was carried out and pods that had to end have ended. */
function settled(job: JobState, plan: Plan): JobState {
  const { holding, ...rest } = job;
  const admitted = plan.admitted.get(job.uid);
  if (!admitted) return rest;
  const { pool, gpus } = admitted;
  if (holding?.pool === pool && holding.gpus === gpus) return job;
  const sinceMs = holding?.pool === pool ? holding.sinceMs : plan.nowMs;
  return {
    ...rest,
    holding: { pool, gpus, sinceMs, startedGpus: gpus, shardGpuSeconds: 0, unsavedGpuSeconds: 0 },
  };
}

/** Arrivals and completions in turn; each plan is carried out before the next. */
function stepTimes(world: World, nowMs: number): number[] {
  const scheduler: Scheduler = createScheduler(world);
  const jobs = new Map(world.jobs.map((job) => [job.uid, job]));
  let plan = scheduler.plan(nowMs);
  const times: number[] = [];
  for (let n = 0; n < STEPS; n++) {
    const atMs = nowMs + n * STEP_MS;
    const change = n % 2 === 0 ? arrival(n, world) : completion(n, plan);
    for (const job of change.jobs ?? []) jobs.set(job.uid, job);
    for (const uid of change.goneJobs ?? []) jobs.delete(uid);
    times.push(timed(() => (plan = stepAndAsk(scheduler, { change, atMs, world, n }))));
    const moved = [...jobs.values()].filter(
      (job) => settled(job, plan) !== job && (job.holding ?? plan.admitted.has(job.uid)),
    );
    for (const job of moved) jobs.set(job.uid, settled(job, plan));
    plan = scheduler.step({ jobs: moved.map((job) => settled(job, plan)) }, atMs);
  }
  return times;
}

function arrival(n: number, world: World): WorldChange {
  return { jobs: [aBenchJob(1_000_000 + n, world.queues.length)] };
}

function completion(n: number, plan: Plan): WorldChange {
  const running = [...plan.admitted.keys()];
  return { goneJobs: running.slice(n % running.length).slice(0, 1) };
}

function stepAndAsk(
  scheduler: Scheduler,
  { change, atMs, world, n }: { change: WorldChange; atMs: number; world: World; n: number },
): Plan {
  const plan = scheduler.step(change, atMs);
  for (let asked = 0; asked < ASKED_AFTER_STEP; asked++) {
    const job = world.jobs[(asked * 997 + n) % world.jobs.length];
    if (job) plan.placementOf(job.uid);
  }
  return plan;
}

/** Old generation; the young one, code and buffers come on top. */
const HEAP_MIB = 240;
const limit = `--max-old-space-size=${HEAP_MIB}`;
if (process.execArgv.includes(limit)) measure();
else {
  const args = [limit, import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}

function measure(): void {
  const figures: Record<string, number> = {};
  for (const size of SIZES) {
    const waiting = aBenchWorld(size);
    const nowMs = waiting.settings.usageHalfLifeSeconds * 1_000_000;
    const first = planFully(waiting, nowMs);
    const world = { ...waiting, jobs: waiting.jobs.map((job) => settled(job, first)) };
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
    {
      name: "full_plan_p99_ms",
      value: figures["full_plan_p99_ms"] ?? 0,
      goal: 300,
      better: "lower" as const,
    },
    { name: "step_p99_ms", value: figures["step_p99_ms"] ?? 0, goal: 20, better: "lower" as const },
    { name: "rss_mb", value: figures["rss_mb"], goal: 400, better: "lower" as const },
  ];
  for (const line of reportLines({ bench: "schedule", figures, goals }, values.json)) console.log(line);
}
