import { type LaneBacklog, canWait, measureBacklog, upperWork } from "./backlog.ts";
import { type Board, type QueueRow, rowFor, rungOn } from "./board.ts";
import type { FinishEstimate, StartEstimate } from "./plan.ts";
import { type Release, type Releases, createReleases } from "./releases.ts";
import { doneMs } from "./reservation.ts";
import type { Ahead, Entry, QueueEntry } from "./roster.ts";
import { windowStartMs } from "./usage.ts";

/**
 * When a waiting job starts and ends, by p50 and p90: the queues are played forward as work that flows. Running
 * jobs give their GPUs back when they are expected to be done; what waits takes them up in fair shares, each
 * queue in its order; a queue's own limits and budget can only make it later. Arrivals still to come are not
 * foreseen. Nothing is played job by job, so an answer costs the same for the first job and the last.
 */
export interface Forecast {
  start(entry: Entry): StartEstimate | undefined;
  /** Place among the waiting jobs of its queue, from 1. */
  position(entry: Entry): number | undefined;
}

type Quantile = "p50" | "p90";

interface Lane {
  readonly backlog: LaneBacklog;
  readonly pools: readonly number[];
  /** Indexes of the pools' GPU classes. */
  readonly classes: ReadonlySet<number>;
  readonly gpus: number;
  /** Jobs that have GPUs of its pools, by queue. */
  readonly active: ReadonlyMap<QueueEntry, readonly Entry[]>;
  /** Made when asked for: when a queue's own GPUs become free. */
  readonly ownReleases: Map<QueueRow, Releases>;
  readonly releases: Readonly<Record<Quantile, Releases>>;
}

export function createForecast(board: Board): Forecast {
  const lookedAt = new Set<QueueRow>();
  let lanes: ReadonlyMap<string, Lane> | undefined;

  function aheadOf(entry: Entry): Ahead | undefined {
    const row = rowFor(board, entry);
    if (!lookedAt.has(row)) {
      lookedAt.add(row);
      standBefore(row);
    }
    return entry.ahead;
  }

  return {
    position: (entry) => aheadOf(entry)?.position,
    start(entry) {
      lanes ??= createLanes(board);
      const ahead = aheadOf(entry);
      const lane = lanes.get(entry.shape.lane);
      return ahead && lane && estimate(board, { entry, row: rowFor(board, entry), ahead, lane });
    },
  };
}

export function finishEstimate(board: Board, entry: Entry): FinishEstimate {
  const speed = rungOn(entry, entry.pool)?.secondsPerImage ?? NO_TIME;
  const reloadSeconds = entry.startedGpus > 0 ? 0 : board.settings.reloadSeconds;
  const afterMs = (quantile: Quantile) =>
    Math.round(1000 * (reloadSeconds + shardsSeconds(entry, speed[quantile], entry.gpus)));
  return { finishP50Ms: board.nowMs + afterMs("p50"), finishP90Ms: board.nowMs + afterMs("p90") };
}

const NO_TIME = { p50: 0, p90: 0 };

/** A shard is done by one GPU, so seven shards take two GPUs as long as eight. */
function shardsSeconds({ job }: Entry, secondsPerImage: number, gpus: number): number {
  const shards = Math.max(1, job.openShards);
  return (Math.ceil(shards / Math.max(1, gpus)) * job.openImages * secondsPerImage) / shards;
}

/** Notes on each waiting job what stands before it. */
function standBefore(row: QueueRow): void {
  const byLane = new Map<string, number>();
  let position = 0;
  let allMs = 0;
  for (const entry of row.entry.jobs) {
    entry.ahead = undefined;
    if (entry.gpus > 0 || !canWait(entry)) continue;
    const workMs = byLane.get(entry.shape.lane) ?? 0;
    entry.ahead = { position: ++position, workMs, allMs };
    byLane.set(entry.shape.lane, workMs + entry.workMs);
    allMs += entry.workMs;
  }
}

/** Pools that several lanes share are divided among them by the work that waits. */
function createLanes(board: Board): ReadonlyMap<string, Lane> {
  const backlogs = measureBacklog(board);
  const poolsOf = (lane: string) => lane.split(",").map(Number);
  const demand = board.pools.map(() => 0);
  for (const [lane, { workMs }] of backlogs) {
    for (const pool of poolsOf(lane)) demand[pool] = (demand[pool] ?? 0) + workMs;
  }
  const freed = { p50: releasesByPool(board, "p50"), p90: releasesByPool(board, "p90") };
  const lanes = new Map<string, Lane>();
  for (const [lane, backlog] of backlogs) {
    const pools = poolsOf(lane);
    const part = (pool: number) => backlog.workMs / Math.max(1, demand[pool] ?? 0);
    const releasesBy = (quantile: Quantile) =>
      createReleases(
        pools.flatMap((pool) =>
          (freed[quantile][pool] ?? []).map(({ afterMs, gpus }) => ({ afterMs, gpus: gpus * part(pool) })),
        ),
        usualStayMs(backlog),
      );
    const gpus = pools.reduce((all, pool) => all + (board.pools[pool]?.state.maxGpus ?? 0) * part(pool), 0);
    lanes.set(lane, {
      backlog,
      pools,
      classes: new Set(pools.map((pool) => board.pools[pool]?.gpuClass ?? -1)),
      gpus,
      active: Map.groupBy(
        [...board.active].filter((entry) => pools.includes(entry.pool)),
        ({ queue }) => queue,
      ),
      ownReleases: new Map(),
      releases: { p50: releasesBy("p50"), p90: releasesBy("p90") },
    });
  }
  return lanes;
}

function releasesByPool(board: Board, quantile: Quantile): readonly (readonly Release[])[] {
  const lists = board.pools.map(({ free, ending, stockedOutUntilMs }): Release[] => {
    const openAfterMs = stockedOutUntilMs === undefined ? 0 : stockedOutUntilMs - board.nowMs;
    return [{ afterMs: openAfterMs, gpus: Math.max(0, free + ending) }];
  });
  for (const entry of board.active) {
    lists[entry.pool]?.push({ afterMs: doneMs(board, entry, quantile) - board.nowMs, gpus: entry.gpus });
  }
  return lists;
}

interface Question {
  readonly entry: Entry;
  readonly row: QueueRow;
  readonly ahead: Ahead;
  readonly lane: Lane;
}

function estimate(board: Board, question: Question): StartEstimate | undefined {
  const { row, ahead, lane } = question;
  const { backlog, releases } = lane;
  const { workMs: before, part } = backlog.after(row, ahead.workMs);
  const most = upperWork(before, backlog.varianceMs2 * (before / Math.max(1, backlog.workMs)));
  const earliestMs = Math.max(board.nowMs + ownLimitAfterMs(board, question), budgetOpensMs(board, question));
  const startMs = (quantile: Quantile, workMs: number) => {
    const flowMs = stretched(releases[quantile], workMs, STRETCH[quantile]);
    const lateMs = STAYS[quantile] * usualStayMs(backlog);
    const afterMs = Math.max(flowMs + lateMs, gangAfterMs(question, quantile));
    return Math.max(earliestMs, board.nowMs + afterMs);
  };
  const startP50Ms = Math.round(startMs("p50", before));
  const startP90Ms = Math.max(startP50Ms, Math.round(startMs("p90", most)));
  if (!Number.isFinite(startP90Ms)) return undefined;
  const run = runMs(board, question, part);
  return {
    startP50Ms,
    startP90Ms,
    finishP50Ms: startP50Ms + Math.round(run.p50),
    finishP90Ms: startP90Ms + Math.round(run.p90),
  };
}

/**
 * A wait is longer than the flow of work says, because GPUs come in whole numbers, jobs grow in between and others
 * arrive; and in the worst of ten cases somebody else is served first. By how much is measured: forecast.test.ts
 * plays random clusters and holds these numbers to what happens there.
 */
const STRETCH: Readonly<Record<Quantile, number>> = { p50: 1.15, p90: 2 };
const STAYS: Readonly<Record<Quantile, number>> = { p50: 0, p90: 0.75 };

/** Until the first GPU becomes free there is nothing to be late with. */
function stretched(releases: Releases, workMs: number, factor: number): number {
  const firstMs = releases.takenUpAfterMs(0);
  if (firstMs === Infinity) return Infinity;
  return firstMs + factor * (releases.takenUpAfterMs(workMs) - firstMs);
}

/** A gang waits until enough GPUs are free at once. */
function gangAfterMs({ entry, lane }: Question, quantile: Quantile): number {
  return entry.need === 1 ? 0 : lane.releases[quantile].gpusFreeAfterMs(Math.min(entry.need, lane.gpus));
}

/** A queue that may use few GPUs takes longer than its fair share would. */
function ownLimitAfterMs(board: Board, { row, ahead, lane }: Question): number {
  let releases = lane.ownReleases.get(row);
  if (!releases) lane.ownReleases.set(row, (releases = ownReleases(board, row, lane)));
  return releases.takenUpAfterMs(ahead.workMs);
}

function ownReleases(board: Board, row: QueueRow, lane: Lane): Releases {
  let limit = 0;
  for (const gpuClass of lane.classes) limit += row.quota.limit[gpuClass] ?? 0;
  if (limit >= lane.gpus) return NO_LIMIT;
  const held: Release[] = [];
  let used = 0;
  for (const entry of lane.active.get(row.entry) ?? []) {
    held.push({ afterMs: doneMs(board, entry, "p50") - board.nowMs, gpus: entry.gpus });
    used += entry.gpus;
  }
  return createReleases([{ afterMs: 0, gpus: limit - used }, ...held], usualStayMs(lane.backlog));
}

const NO_LIMIT: Releases = { gpusFreeAfterMs: () => 0, takenUpAfterMs: () => 0 };

/** How long a job is on each of its GPUs, as a rule. */
function usualStayMs({ workMs, gpus }: LaneBacklog): number {
  return workMs / Math.max(1, gpus);
}

/** The first window whose budget is not spent on what stands before the job. */
function budgetOpensMs(board: Board, { row, ahead }: Question): number {
  const budget = row.entry.state.budget;
  if (!budget || !row.budget) return board.nowMs;
  const leftMs = 1000 * Math.max(0, budget.gpuSeconds - row.budget.used - row.reserved);
  if (leftMs > ahead.allMs) return board.nowMs;
  const windows = 1 + Math.floor((ahead.allMs - leftMs) / (1000 * budget.gpuSeconds));
  return windowStartMs(budget, board.nowMs) + windows * budget.windowSeconds * 1000;
}

/** From its start to its end, on the GPUs that its queue will have then: this part of its lane's. */
function runMs(board: Board, { entry, lane }: Question, part: number): Readonly<Record<Quantile, number>> {
  const gpus = Math.max(entry.need, Math.min(entry.want, Math.floor(part * lane.gpus)));
  const speed = entry.shape.ladder[0]?.secondsPerImage ?? NO_TIME;
  const reload = board.settings.reloadSeconds;
  return {
    p50: 1000 * (reload + shardsSeconds(entry, speed.p50, gpus)),
    p90: 1000 * (reload + shardsSeconds(entry, speed.p90, gpus)),
  };
}
