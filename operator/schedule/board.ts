import type { Reason, Standing } from "./explain.ts";
import { type Rung, shardSeconds } from "./ladder.ts";
import type { ChangeReason } from "./plan.ts";
import { type CohortRow, type QuotaRow, quotaRow, takeQuota } from "./quota.ts";
import type { Entry, QueueEntry, Roster } from "./roster.ts";
import { stockedOutUntilMs } from "./stock-out.ts";
import { averageGpus, usedInWindow } from "./usage.ts";
import type { PoolState, ScheduleSettings, StockOutMemory } from "./world.ts";

/**
 * The one mutable value while a plan is made: who has which GPUs so far, and what is left. Every rule reads it;
 * only `give` and `take` change who has what, so that its sums always agree.
 */
export interface Board {
  readonly nowMs: number;
  readonly settings: ScheduleSettings;
  readonly pools: readonly PoolRow[];
  /** GPU classes by name, and how many GPUs there are of each. */
  readonly classes: readonly string[];
  readonly capacity: readonly number[];
  readonly queues: readonly QueueRow[];
  /** Jobs that have GPUs. */
  readonly active: Set<Entry>;
  /** Jobs for which others have given GPUs up, and the pool where; see `heirs.ts`. */
  readonly heirs: Map<Entry, PoolRow>;
  /** What `explain.ts` has told of a job that others wait behind. */
  readonly told: Map<Entry, ToldOfFirst>;
}

export interface ToldOfFirst {
  readonly otherQueue: Reason;
  readonly standing: Standing;
}

export interface PoolRow {
  readonly index: number;
  readonly state: PoolState;
  readonly gpuClass: number;
  free: number;
  /** GPUs whose pods are ending: free before long. */
  ending: number;
  assigned: number;
  stockOut: StockOutMemory | undefined;
  stockedOutUntilMs: number | undefined;
}

export interface QueueRow {
  readonly index: number;
  readonly entry: QueueEntry;
  readonly quota: QuotaRow;
  /** Decayed past usage in GPUs, by class. */
  readonly average: readonly number[];
  readonly budget: { readonly gpuSeconds: number; readonly used: number } | undefined;
  /** Expected GPU time of shards that run or were assigned, not yet used. */
  reserved: number;
  admitted: number;
}

export type Block =
  | { readonly on: "pool" | "queue" | "job-budget" | "max-jobs" | "stock-out" }
  /** `isForEver`: the limit itself is less than the job needs at once. */
  | { readonly on: "budget"; readonly isForEver: boolean }
  | { readonly on: "quota"; readonly gpuClass: number; readonly isForEver: boolean }
  | { readonly on: "gpus" | "preemption"; readonly pool: number; readonly free: number }
  | { readonly on: "cohort"; readonly gpuClass: number }
  | { readonly on: "order"; readonly behind: Entry; readonly pool: number };

/** Why a job shall have fewer GPUs than it holds, or others. */
export interface Change {
  readonly reason: ChangeReason;
  /** The job that needs them, where one does. */
  readonly for?: Entry;
  readonly lostGpuSeconds: number;
}

export function createBoard(roster: Roster, nowMs: number): Board {
  const classes = [...new Set(roster.pools.map(({ gpuClass }) => gpuClass))].sort();
  const capacity = classes.map(() => 0);
  const pools = roster.pools.map((state, index): PoolRow => {
    const gpuClass = classes.indexOf(state.gpuClass);
    capacity[gpuClass] = (capacity[gpuClass] ?? 0) + state.maxGpus;
    return {
      index,
      state,
      gpuClass,
      free: state.maxGpus - state.strayGpus,
      ending: state.strayGpus,
      assigned: 0,
      stockOut: state.stockOut,
      stockedOutUntilMs: undefined,
    };
  });
  const cohorts = new Map<string, CohortRow>();
  const queues = roster.queues.map((entry, index) =>
    queueRow(entry, index, { classes, cohorts, nowMs, settings: roster.settings }),
  );
  for (const row of queues) row.entry.row = row;
  return {
    nowMs,
    settings: roster.settings,
    pools,
    classes,
    capacity,
    queues,
    active: new Set(),
    heirs: new Map(),
    told: new Map(),
  };
}

interface QueueContext {
  readonly classes: readonly string[];
  readonly cohorts: Map<string, CohortRow>;
  readonly nowMs: number;
  readonly settings: ScheduleSettings;
}

function queueRow(entry: QueueEntry, index: number, context: QueueContext): QueueRow {
  const { classes, cohorts, nowMs, settings } = context;
  const { state } = entry;
  const average = classes.map((gpuClass) => {
    const usage = state.usage.find((one) => one.gpuClass === gpuClass);
    return usage ? averageGpus(usage, nowMs, settings.usageHalfLifeSeconds) : 0;
  });
  const budget = state.budget && {
    gpuSeconds: state.budget.gpuSeconds,
    used: usedInWindow(state.budget, nowMs),
  };
  return {
    index,
    entry,
    quota: quotaRow(state, classes, cohorts),
    average,
    budget,
    reserved: 0,
    admitted: 0,
  };
}

export function rowFor(board: Board, entry: Entry): QueueRow {
  const { row } = entry.queue;
  if (!row || board.queues[row.index] !== row)
    throw new Error(`queue ${entry.queue.state.name} is not on the board`);
  return row;
}

export function poolAt(board: Board, index: number): PoolRow {
  const pool = board.pools[index];
  if (!pool) throw new RangeError(`there is no pool ${index}`);
  return pool;
}

/** The rung of the pool that the job has GPUs of; a pool that left its ladder is measured as the first rung. */
export function rungOn(entry: Entry, pool: number): Rung | undefined {
  return entry.shape.ladder.find((rung) => rung.pool === pool) ?? entry.shape.ladder[0];
}

/** Assigns GPUs of a pool to a job that has none or has some of this pool already. */
export function give(board: Board, entry: Entry, pool: PoolRow, gpus: number): void {
  const row = rowFor(board, entry);
  if (entry.gpus === 0) {
    board.active.add(entry);
    row.admitted++;
  }
  entry.pool = pool.index;
  entry.gpus += gpus;
  pool.free -= gpus;
  pool.assigned += gpus;
  takeQuota(row.quota, pool.gpuClass, gpus);
  row.reserved += gpus * shardSecondsOn(entry, pool.index);
}

/**
 * Takes GPUs from a job: those first that this plan gave it, which are free at once; then those without a started
 * pod, for they lose nothing. The pods of those that it held now end.
 */
export function take(board: Board, entry: Entry, gpus: number): void {
  const row = rowFor(board, entry);
  const pool = poolAt(board, entry.pool);
  const before = reservedSeconds(entry);
  entry.gpus -= gpus;
  entry.startedGpus = Math.min(entry.startedGpus, entry.gpus);
  row.reserved += reservedSeconds(entry) - before;
  const ending = Math.max(0, entry.kept - entry.gpus);
  entry.kept -= ending;
  pool.ending += ending;
  pool.free += gpus - ending;
  pool.assigned -= gpus;
  takeQuota(row.quota, pool.gpuClass, -gpus);
  if (entry.gpus > 0) return;
  board.active.delete(entry);
  row.admitted--;
}

export function shardSecondsOn(entry: Entry, pool: number): number {
  const rung = rungOn(entry, pool);
  return rung ? shardSeconds(entry.job, rung) : 0;
}

/** What the shards of the job's GPUs are still expected to use: the rest of the running ones, all of the others. */
export function reservedSeconds(entry: Entry): number {
  const shard = shardSecondsOn(entry, entry.pool);
  return (entry.gpus - entry.startedGpus) * shard + runningRest(entry, shard);
}

function runningRest(entry: Entry, shard: number): number {
  const { holding } = entry.job;
  if (!holding || entry.startedGpus === 0) return 0;
  const soFar = (holding.shardGpuSeconds * entry.startedGpus) / Math.max(1, holding.startedGpus);
  return Math.max(0, entry.startedGpus * shard - soFar);
}

export function setStockOut(board: Board, pool: PoolRow, memory: StockOutMemory | undefined): void {
  pool.stockOut = memory;
  const until = memory && stockedOutUntilMs(memory, pool.state);
  pool.stockedOutUntilMs = until !== undefined && until > board.nowMs ? until : undefined;
}

/** GPU time that is lost if the job stops now: unsaved work, and loading the models again. */
export function stopCost(board: Board, entry: Entry): number {
  const unsaved = entry.job.holding?.unsavedGpuSeconds ?? 0;
  return entry.startedGpus === 0 ? 0 : unsaved + entry.startedGpus * board.settings.reloadSeconds;
}
