import {
  type Board,
  type PoolRow,
  type QueueRow,
  give,
  poolAt,
  reservedSeconds,
  rowFor,
  setStockOut,
  shardSecondsOn,
  stopCost,
  take,
} from "./board.ts";
import { presentShare } from "./fair-share.ts";
import { compareText } from "./order.ts";
import type { ChangeReason } from "./plan.ts";
import { ownRoom, unlent } from "./quota.ts";
import type { Entry } from "./roster.ts";
import { rememberStockOut, stockedOutUntilMs } from "./stock-out.ts";

/**
 * The first part of a plan: every job keeps the GPUs that it holds, as far as it has use for them and the limits
 * still allow it. Nobody gains anything here.
 */
export function keepHoldings(board: Board): void {
  for (const row of board.queues) for (const entry of row.entry.occupants) countEnding(board, entry);
  for (const row of board.queues) for (const entry of row.entry.occupants) hold(board, entry);
  for (const pool of board.pools) noticeStockOut(board, pool);
  for (const entry of board.active) dropUseless(board, entry);
  for (const row of board.queues) keepWithinBudget(board, row);
  lowerToLimits(board);
}

function countEnding(board: Board, { job }: Entry): void {
  for (const name in job.endingGpus) {
    const pool = board.pools.find(({ state }) => state.name === name);
    const gpus = job.endingGpus[name] ?? 0;
    if (!pool) continue;
    pool.ending += gpus;
    pool.free -= gpus;
  }
}

function hold(board: Board, entry: Entry): void {
  const { holding } = entry.job;
  if (!holding) return;
  const pool = board.pools.find(({ state }) => state.name === holding.pool);
  if (!pool) {
    entry.change = { reason: "LimitLowered", lostGpuSeconds: holding.unsavedGpuSeconds };
    return;
  }
  give(board, entry, pool, holding.gpus);
  const row = rowFor(board, entry);
  const asNew = reservedSeconds(entry);
  entry.kept = holding.gpus;
  entry.startedGpus = Math.min(holding.startedGpus, holding.gpus);
  entry.sinceMs = holding.sinceMs;
  row.reserved += reservedSeconds(entry) - asNew;
}

/**
 * A pool whose pod has had no node for `startTimeoutSeconds` is out of stock from that moment on. While it is,
 * later pods that wait are no further stock-out.
 */
function noticeStockOut(board: Board, pool: PoolRow): void {
  let memory = pool.state.stockOut;
  const timeoutMs = pool.state.startTimeoutSeconds * 1000;
  const moments = [...board.active]
    .filter((entry) => entry.pool === pool.index && entry.startedGpus < entry.gpus)
    .map(({ job }) => (job.holding?.nodelessSinceMs ?? Infinity) + timeoutMs)
    .filter((atMs) => atMs <= board.nowMs)
    .sort((a, b) => a - b);
  for (const atMs of moments) {
    const isKnown = memory && atMs < stockedOutUntilMs(memory, pool.state);
    if (!isKnown) memory = rememberStockOut(memory, atMs, pool.state);
  }
  setStockOut(board, pool, memory);
}

function dropUseless(board: Board, entry: Entry): void {
  if (entry.gpus > entry.want) shed(board, entry, { gpus: entry.gpus - entry.want, reason: "FewerShards" });
  if (poolAt(board, entry.pool).stockedOutUntilMs === undefined) return;
  const kept = entry.startedGpus < entry.need ? 0 : entry.startedGpus;
  if (kept < entry.gpus) shed(board, entry, { gpus: entry.gpus - kept, reason: "StockOut" });
}

/**
 * A budget is reserved shard by shard, so that one shard alone may reach beyond it. The Job controller begins a
 * new shard in the place of a finished one before anybody asked, and estimates can be wrong: what is reserved
 * too much is given back, from the last job on.
 */
function keepWithinBudget(board: Board, row: QueueRow): void {
  for (const entry of row.entry.occupants.toReversed()) {
    while (entry.gpus > 0 && (isOverdrawn(row) || isJobOverdrawn(entry))) {
      shed(board, entry, { gpus: 1, reason: "Budget" });
    }
  }
}

function isOverdrawn({ budget, reserved, entry }: QueueRow): boolean {
  if (!budget) return false;
  const shards = entry.occupants.map((one) => (one.gpus > 0 ? shardSecondsOn(one, one.pool) : 0));
  return isBeyond(budget.gpuSeconds - budget.used, reserved, Math.max(...shards));
}

function isJobOverdrawn(entry: Entry): boolean {
  const { budgetGpuSeconds, usedGpuSeconds } = entry.job;
  if (budgetGpuSeconds === undefined) return false;
  const unused = budgetGpuSeconds - usedGpuSeconds;
  return isBeyond(unused, reservedSeconds(entry), shardSecondsOn(entry, entry.pool));
}

/** True when more than one shard reaches beyond what is unused. */
function isBeyond(unused: number, reserved: number, shard: number): boolean {
  return shard > 0 ? reserved - unused >= shard : unused <= 0;
}

/** Limits may have been lowered since: then the work that costs least is given up. */
function lowerToLimits(board: Board): void {
  for (const pool of board.pools) {
    const over = () => pool.assigned - pool.state.maxGpus;
    lower(board, over, (entry) => entry.pool === pool.index);
  }
  for (const [gpuClass] of board.classes.entries()) {
    const isOfClass = (entry: Entry) => poolAt(board, entry.pool).gpuClass === gpuClass;
    for (const row of board.queues) {
      const over = () => -ownRoom(row.quota, gpuClass);
      lower(board, over, (entry) => entry.queue === row.entry && isOfClass(entry));
      const { cohort } = row.quota;
      if (!cohort) continue;
      const overLent = () => -unlent(cohort, gpuClass);
      lower(board, overLent, (entry) => isBorrower(board, entry, cohort.name, gpuClass) && isOfClass(entry));
    }
  }
}

function isBorrower(board: Board, entry: Entry, cohort: string, gpuClass: number): boolean {
  const { quota } = rowFor(board, entry);
  return quota.cohort?.name === cohort && (quota.used[gpuClass] ?? 0) > (quota.guaranteed[gpuClass] ?? 0);
}

function lower(board: Board, over: () => number, isOne: (entry: Entry) => boolean): void {
  while (over() > 0) {
    const victim = byLoss(board, [...board.active].filter(isOne))[0];
    if (!victim) return;
    const spare = victim.gpus - victim.need;
    const gpus = spare > 0 ? Math.min(spare, over()) : victim.gpus;
    shed(board, victim, { gpus, reason: "LimitLowered" });
  }
}

/** Whose work is lost at the least price goes first; then the largest share, the youngest, the last uid. */
export function byLoss(board: Board, entries: readonly Entry[]): Entry[] {
  return entries
    .map((entry) => ({
      entry,
      price: stopCost(board, entry) / entry.gpus,
      share: presentShare(board, rowFor(board, entry)),
    }))
    .sort(
      (a, b) =>
        a.price - b.price ||
        b.share - a.share ||
        b.entry.sinceMs - a.entry.sinceMs ||
        compareText(b.entry.job.uid, a.entry.job.uid),
    )
    .map(({ entry }) => entry);
}

/** Takes GPUs away and remembers why. */
export function shed(
  board: Board,
  entry: Entry,
  { gpus, reason, heir }: { gpus: number; reason: ChangeReason; heir?: Entry },
): void {
  const started = entry.startedGpus;
  const cost = started === 0 ? 0 : stopCost(board, entry) / started;
  take(board, entry, gpus);
  const lostGpuSeconds = (entry.change?.lostGpuSeconds ?? 0) + cost * (started - entry.startedGpus);
  entry.change = { reason, lostGpuSeconds, ...(heir && { for: heir }) };
}
