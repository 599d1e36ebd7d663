import {
  type Needs,
  type Rung,
  expectedWork,
  ladderFor,
  neededGpus,
  needsKey,
  needsOf,
  wantedGpus,
} from "./ladder.ts";
import { compareJobs, compareText } from "./order.ts";
import type { QueueBacklog } from "./backlog.ts";
import type { Block, Change, QueueRow } from "./board.ts";
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
  queues: readonly QueueEntry[];
  readonly entries: Map<string, Entry>;
  readonly shapes: Map<string, Shape>;
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

/** Jobs of equal needs: where one of them does not fit, none does. */
export interface Shape {
  readonly needs: Needs;
  readonly ladder: readonly Rung[];
  /** Names the set of pools that can take it; empty: none. */
  readonly lane: string;
  /** Noted in a round, see `isOutOfReach`. */
  reach: { readonly round: object; readonly version: number; readonly isOut: boolean } | undefined;
}

/** A job, and what the plan being made says of it. */
export interface Entry {
  readonly job: JobState;
  readonly queue: QueueEntry;
  readonly shape: Shape;
  readonly need: number;
  readonly want: number;
  /** Expected GPU time of its open pictures on its first rung, and its variance; in milliseconds. */
  readonly workMs: number;
  readonly varianceMs2: number;
  /** The plan's: GPUs, the pool's index, since when. */
  gpus: number;
  /** Of them, those that it held before. */
  kept: number;
  pool: number;
  sinceMs: number;
  startedGpus: number;
  change: Change | undefined;
  block: Block | undefined;
  /** Noted by the forecast. */
  ahead: Ahead | undefined;
}

/** What stands before a waiting job in its queue. */
export interface Ahead {
  /** From 1. */
  readonly position: number;
  /** GPU-milliseconds, in its lane and in any lane. */
  readonly workMs: number;
  readonly allMs: number;
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

/** Enters many jobs at once: sorted once, not one by one. */
function enter(roster: Roster, jobs: readonly JobState[]): void {
  const touched = new Set<QueueEntry>();
  const byName = new Map(roster.queues.map((queue) => [queue.state.name, queue]));
  for (const job of jobs) {
    if (roster.entries.has(job.uid)) throw new RangeError(`two jobs have the uid ${job.uid}`);
    const queue = byName.get(job.queue) ?? queueOf(roster, job.queue);
    byName.set(job.queue, queue);
    const entry = entryOf(roster, job, queue);
    roster.entries.set(job.uid, entry);
    entry.queue.jobs.push(entry);
    touched.add(entry.queue);
  }
  for (const queue of touched) {
    queue.jobs.sort((a, b) => compareJobs(a.job, b.job));
    queue.occupants.length = 0;
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
  const shape = shapeOf(roster, job);
  const { workMs, varianceMs2 } = expectedWork(job, shape.ladder[0]);
  return {
    job,
    queue,
    shape,
    workMs,
    varianceMs2,
    need: neededGpus(job),
    want: wantedGpus(job),
    gpus: 0,
    kept: 0,
    pool: -1,
    sinceMs: 0,
    startedGpus: 0,
    change: undefined,
    block: undefined,
    ahead: undefined,
  };
}

function isOccupant(job: JobState): boolean {
  if (job.holding) return true;
  for (const _ in job.endingGpus) return true;
  return false;
}

function shapeOf(roster: Roster, job: JobState): Shape {
  const needs = needsOf(job);
  const key = needsKey(needs);
  const known = roster.shapes.get(key);
  if (known) return known;
  const ladder = ladderFor(needs, roster.pools, roster.settings);
  const lane = ladder
    .map(({ pool }) => pool)
    .sort((a, b) => a - b)
    .join();
  const shape: Shape = { needs, ladder, lane, reach: undefined };
  roster.shapes.set(key, shape);
  return shape;
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
  roster.queues = roster.queues.toSpliced(placeOfQueue(roster, state.name), 0, queue);
  return queue;
}

function dropQueue(roster: Roster, queue: QueueEntry): void {
  roster.queues = roster.queues.filter((one) => one !== queue);
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
