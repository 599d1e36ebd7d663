import { type Board, createBoard } from "./board.ts";
import { fillRound } from "./fill.ts";
import { keepHoldings } from "./keeping.ts";
import { moveUp } from "./move-up.ts";
import type { Plan } from "./plan.ts";
import { type Entry, type Roster, createRoster, putJob, putPools, putQueues, removeJob } from "./roster.ts";
import type { Round } from "./round.ts";
import { tell } from "./telling.ts";
import type { JobState, PoolState, QueueState, World } from "./world.ts";

/**
 * Who gets which GPUs: a pure function of the world and the time.
 *
 *     keep   every job keeps what it holds, as far as limits and use allow          keeping.ts
 *     fill   what is free goes to the queue with the least share, job by job        fill.ts, offer.ts
 *            a job that does not fit reserves, or takes from others by right        reservation.ts, preemption.ts
 *     move   a running job climbs back to a cheaper pool                            move-up.ts
 *
 * Fill and move are repeated until a round changes nothing. The last round therefore sees what the next plan
 * will see, and a plan that was carried out stays as it is.
 */
export function schedule(world: World, nowMs: number): Plan {
  return createScheduler(world).plan(nowMs);
}

/** Keeps a world and plans it again after each change, at the cost of the change. */
export interface Scheduler {
  plan(nowMs: number): Plan;
  /** The same plan as `schedule` would make of the changed world. */
  step(change: WorldChange, nowMs: number): Plan;
}

export interface WorldChange {
  /** New jobs, and jobs that have changed. */
  readonly jobs?: readonly JobState[];
  /** Uids of jobs that are no more. */
  readonly goneJobs?: readonly string[];
  /** New queues, and queues that have changed. */
  readonly queues?: readonly QueueState[];
  /** Names of queues that are no more. */
  readonly goneQueues?: readonly string[];
  /** All pools, when one of them has changed. */
  readonly pools?: readonly PoolState[];
}

export function createScheduler(world: World): Scheduler {
  const roster = createRoster(world);
  let last: { board: Board; round: Round } | undefined;

  function plan(nowMs: number): Plan {
    if (last) forget(roster, last);
    last = decide(createBoard(roster, nowMs));
    return tell(roster, last.round);
  }

  return {
    plan,
    step(change, nowMs) {
      if (last) forget(roster, last);
      last = undefined;
      put(roster, change);
      return plan(nowMs);
    },
  };
}

function put(
  roster: Roster,
  { jobs = [], goneJobs = [], queues = [], goneQueues = [], pools }: WorldChange,
): void {
  if (pools) putPools(roster, pools);
  putQueues(roster, queues, goneQueues);
  for (const uid of goneJobs) removeJob(roster, uid);
  for (const job of jobs) putJob(roster, job);
}

function decide(board: Board): { board: Board; round: Round } {
  keepHoldings(board);
  for (;;) {
    const round = fillRound(board);
    if (!round.hasChanged && !moveUp(round)) return { board, round };
    for (const entry of round.blocked) entry.block = undefined;
  }
}

/** What the last plan noted on the jobs. */
function forget(roster: Roster, { board, round }: { board: Board; round: Round }): void {
  for (const entry of round.blocked) entry.block = undefined;
  for (const entry of board.active) clear(entry);
  for (const { occupants } of roster.queues) for (const entry of occupants) clear(entry);
}

function clear(entry: Entry): void {
  entry.gpus = 0;
  entry.kept = 0;
  entry.pool = -1;
  entry.sinceMs = 0;
  entry.startedGpus = 0;
  entry.change = undefined;
}
