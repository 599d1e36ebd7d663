import { neededGpus, wantedGpus } from "./ladder.ts";
import { compareJobs, compareText } from "./order.ts";
import type { QueueBacklog } from "./backlog.ts";
import type { Block, Change, QueueRow } from "./board.ts";
import { type Shape, type Shapes, shapeOf } from "./shapes.ts";
import type { JobState, PoolState, QueueState, ScheduleSettings, World } from "./world.ts";

/**
 * The world as the scheduler keeps it: each queue's jobs in their order, jobs of equal needs sharing one shape.
 * One change touches one queue, so a step costs as much as the change and not as much as the world.
 */
export interface Roster {
  readonly settings: ScheduleSettings;
  /** By name. */
  pools: readonly PoolState[];
  /** By name. */
  readonly queues: QueueEntry[];
  readonly entries: Map<string, Entry>;
  readonly shapes: Shapes;
}

export interface QueueEntry {
  state: QueueState;
  /** False for a queue that only its jobs speak of. */
  exists: boolean;
  /** Best first; waiting jobs and those that hold GPUs. */
  readonly jobs: Entry[];
  /** Of them, those whose pods take GPUs, assigned or ending; best first. */
  readonly occupants: Entry[];
  /** Bumped by every change of its jobs, so that what was derived from them is derived again. */
  version: number;
  /** What waits, see `backlog.ts`. */
  backlog: QueueBacklog | undefined;
  /** On the board of the plan being made. */
  row: QueueRow | undefined;
}

/** A job, and what the plan being made says of it. */
export interface Entry {
  readonly job: JobState;
  readonly queue: QueueEntry;
  readonly shape: Shape;
  readonly need: number;
  readonly want: number;
  /** The plan's: GPUs, the pool's index, since when. */
  gpus: number;
  /** Of them, those that it held before. */
  kept: number;
  pool: number;
  sinceMs: number;
  startedGpus: number;
  change: Change | undefined;
  block: Block | undefined;
  /** Among the waiting jobs of its queue, from 1, see `QueueBacklog`; 0: not among them. */
  position: number;
}

export function createRoster(world: World): Roster {
  const roster: Roster = {
    settings: world.settings,
    pools: [...world.pools].sort((a, b) => compareText(a.name, b.name)),
    queues: [],
    entries: new Map(),
    shapes: new Map(),
  };
  putQueues(roster, world.queues, []);
  enter(roster, world.jobs);
  return roster;
}

/** Enters all jobs at once, into queues that have none: sorted once, not one by one. */
function enter(roster: Roster, jobs: readonly JobState[]): void {
  const byName = new Map(roster.queues.map((queue) => [queue.state.name, queue]));
  for (const job of jobs) {
    let queue = byName.get(job.queue);
    if (!queue) byName.set(job.queue, (queue = queueOf(roster, job.queue)));
    const entry = entryOf(roster, job, queue);
    const before = roster.entries.size;
    if (roster.entries.set(job.uid, entry).size === before) {
      throw new RangeError(`two jobs have the uid ${job.uid}`);
    }
    queue.jobs.push(entry);
  }
  for (const queue of roster.queues) {
    queue.jobs.sort((a, b) => compareJobs(a.job, b.job));
    for (const entry of queue.jobs) if (isOccupant(entry.job)) queue.occupants.push(entry);
    queue.version++;
  }
}

export function putJob(roster: Roster, job: JobState): void {
  removeJob(roster, job.uid);
  const entry = entryOf(roster, job, queueOf(roster, job.queue));
  roster.entries.set(job.uid, entry);
  insert(entry.queue.jobs, entry);
  if (isOccupant(job)) insert(entry.queue.occupants, entry);
  entry.queue.version++;
}

export function removeJob(roster: Roster, uid: string): void {
  const entry = roster.entries.get(uid);
  if (!entry) return;
  roster.entries.delete(uid);
  remove(entry.queue.jobs, entry);
  remove(entry.queue.occupants, entry);
  entry.queue.version++;
  if (!entry.queue.exists && entry.queue.jobs.length === 0) dropQueue(roster, entry.queue);
}

export function putQueues(roster: Roster, states: readonly QueueState[], gone: readonly string[]): void {
  for (const state of states) {
    const queue = findQueue(roster, state.name) ?? addQueue(roster, state);
    queue.state = state;
    if (!queue.exists) queue.version++;
    queue.exists = true;
  }
  for (const name of gone) {
    const queue = findQueue(roster, name);
    if (!queue) continue;
    queue.exists = false;
    queue.version++;
    queue.state = unknownQueue(name);
    if (queue.jobs.length === 0) dropQueue(roster, queue);
  }
}

/** Ladders depend on the pools' classes, sizes, prices and speeds: when one of these changes, all are made anew. */
export function putPools(roster: Roster, pools: readonly PoolState[]): void {
  const before = roster.pools;
  roster.pools = [...pools].sort((a, b) => compareText(a.name, b.name));
  if (JSON.stringify(before.map(ladderPart)) === JSON.stringify(roster.pools.map(ladderPart))) return;
  const jobs = [...roster.entries.values()].map(({ job }) => job);
  roster.entries.clear();
  roster.shapes.clear();
  for (const queue of roster.queues) {
    queue.jobs.length = 0;
    queue.occupants.length = 0;
  }
  enter(roster, jobs);
}

function ladderPart({ name, gpuClass, vramGiB, maxGpus, pricePerGpuHour, secondsPerImage }: PoolState) {
  const speeds = Object.entries(secondsPerImage).sort(([a], [b]) => compareText(a, b));
  return { name, gpuClass, vramGiB, maxGpus, pricePerGpuHour, speeds };
}

function queueOf(roster: Roster, name: string): QueueEntry {
  return findQueue(roster, name) ?? addQueue(roster, unknownQueue(name));
}

function entryOf(roster: Roster, job: JobState, queue: QueueEntry): Entry {
  return {
    job,
    queue,
    shape: shapeOf(roster, job),
    need: neededGpus(job),
    want: wantedGpus(job),
    gpus: 0,
    kept: 0,
    pool: -1,
    sinceMs: 0,
    startedGpus: 0,
    change: undefined,
    block: undefined,
    position: 0,
  };
}

function isOccupant(job: JobState): boolean {
  if (job.holding) return true;
  for (const _ in job.endingGpus) return true;
  return false;
}

function unknownQueue(name: string): QueueState {
  return { name, weight: 1, quotas: [], usage: [] };
}

/** Index of the first element that is not before the one looked for. */
function lowerBound<T>(list: readonly T[], isBefore: (one: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = list[middle];
    if (one !== undefined && isBefore(one)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findQueue(roster: Roster, name: string): QueueEntry | undefined {
  const found = roster.queues[placeOfQueue(roster, name)];
  return found?.state.name === name ? found : undefined;
}

function placeOfQueue(roster: Roster, name: string): number {
  return lowerBound(roster.queues, ({ state }) => compareText(state.name, name) < 0);
}

function addQueue(roster: Roster, state: QueueState): QueueEntry {
  const queue: QueueEntry = {
    state,
    exists: false,
    jobs: [],
    occupants: [],
    version: 0,
    backlog: undefined,
    row: undefined,
  };
  roster.queues.splice(placeOfQueue(roster, state.name), 0, queue);
  return queue;
}

function dropQueue(roster: Roster, queue: QueueEntry): void {
  roster.queues.splice(roster.queues.indexOf(queue), 1);
}

function insert(list: Entry[], entry: Entry): void {
  list.splice(
    lowerBound(list, ({ job }) => compareJobs(job, entry.job) < 0),
    0,
    entry,
  );
}

function remove(list: Entry[], entry: Entry): void {
  const at = lowerBound(list, ({ job }) => compareJobs(job, entry.job) < 0);
  if (list[at] === entry) list.splice(at, 1);
}
