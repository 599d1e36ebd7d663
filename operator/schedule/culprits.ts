import { schedule } from "./scheduler.ts";
import type { JobState, World } from "./world.ts";

/** Where more jobs than this seem to be to blame, it is a pool or a queue that they share. */
const MOST_CULPRITS = 4;

/**
 * The jobs that keep a plan from being made: without them it can be. None when it is not jobs that are to blame,
 * but pools or queues. Of jobs that only fail together, the last in the list. Costs a dozen plans and more of
 * large worlds for each job found: to be asked when a plan has failed, and only then.
 */
export function culpritsIn(world: World, nowMs: number): readonly JobState[] {
  const culprits: JobState[] = [];
  let { jobs } = world;
  while (!canPlan({ ...world, jobs }, nowMs)) {
    const culprit = firstCulprit({ ...world, jobs }, nowMs);
    if (!culprit || culprits.length === MOST_CULPRITS) return [];
    culprits.push(culprit);
    jobs = jobs.filter((job) => job !== culprit);
  }
  return culprits;
}

/** The jobs before it can be planned, and with it they cannot. */
function firstCulprit(world: World, nowMs: number): JobState | undefined {
  let sound = 0;
  let unsound = world.jobs.length;
  while (unsound - sound > 1) {
    const middle = (sound + unsound) >>> 1;
    if (canPlan({ ...world, jobs: world.jobs.slice(0, middle) }, nowMs)) sound = middle;
    else unsound = middle;
  }
  return world.jobs[unsound - 1];
}

/** What a job is told is put together when it is asked for, and may fail only then. */
function canPlan(world: World, nowMs: number): boolean {
  try {
    const plan = schedule(world, nowMs);
    for (const { uid } of world.jobs) plan.placementOf(uid);
    return true;
  } catch {
    return false;
  }
}
