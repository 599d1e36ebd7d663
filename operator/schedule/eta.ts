import { type LaneBacklog, measureBacklog, upperWork } from "./backlog.ts";
import { type Board, type QueueRow, rungOn } from "./board.ts";
import type { FinishEstimate, StartEstimate } from "./plan.ts";
import {
  type Release,
  type Releases,
  createReleases,
  firstAfterMs,
  gpusFreeAfterMs,
  takenUpAfterMs,
} from "./releases.ts";
import { doneMs } from "./reservation.ts";
import type { Entry, QueueEntry } from "./roster.ts";
import type { Shape } from "./shapes.ts";
import { windowStartMs } from "./usage.ts";

/**
 * When a waiting job starts and ends, by p50 and p90: the queues are played forward as work that flows. Running
 * jobs give their GPUs back when they are expected to be done; what waits takes them up in fair shares, each
 * queue in its order; a queue's own limits and budget can only make it later. Arrivals still to come are not
 * foreseen. Nothing is played job by job, so an answer costs the same for the first job and the last.
 */
export interface Forecast {
  /** Place among the waiting jobs of its queue, from 1; undefined for one that no pool can take. */
  position(entry: Entry): number | undefined;
  prospect(row: QueueRow, shape: Shape): Prospect | undefined;
  start(entry: Entry, prospect: Prospect): StartEstimate | undefined;
}

/** What the waiting jobs of one lane in one queue can expect alike. */
export interface Prospect {
  readonly lane: Lane;
  readonly weight: number;
  /** See `QueueBacklog`. */
  readonly beforeMs: readonly number[];
  /** When the GPUs that the queue may use become free, if its limit is what matters. */
  readonly own: Releases | undefined;
  /** A queue that has a budget. */
  readonly budgeted: QueueRow | undefined;
}

type Quantile = "p50" | "p90";

interface Lane {
  readonly backlog: LaneBacklog;
  /** Indexes of the pools' GPU classes. */
  readonly classes: ReadonlySet<number>;
  readonly gpus: number;
  /** Jobs that have GPUs of its pools, by queue. */
  readonly active: ReadonlyMap<QueueEntry, readonly Entry[]>;
  readonly releases: Readonly<Record<Quantile, Releases>>;
  /** Made when asked for. */
  readonly prospects: Map<QueueRow, Prospect>;
}

export function createForecast(board: Board): Forecast {
  let lanes: ReadonlyMap<string, Lane> | undefined;
  /** Positions too are those of this plan from then on. */
  const measured = () => (lanes ??= createLanes(board));
  return {
    position(entry) {
      measured();
      return entry.position === 0 ? undefined : entry.position;
    },
    prospect(row, { lane: name }) {
      const lane = measured().get(name);
      if (!lane) return undefined;
      let prospect = lane.prospects.get(row);
      if (!prospect) lane.prospects.set(row, (prospect = prospectOf(board, row, lane)));
      return prospect;
    },
    start: (entry, prospect) => estimate(board, entry, prospect),
  };
}

function prospectOf(board: Board, row: QueueRow, lane: Lane): Prospect {
  return {
    lane,
    weight: row.entry.state.weight,
    beforeMs: row.entry.backlog?.beforeMs ?? [],
    own: ownReleases(board, row, lane),
    budgeted: row.budget && row,
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
      classes: new Set(pools.map((pool) => board.pools[pool]?.gpuClass ?? -1)),
      gpus,
      active: Map.groupBy(
        [...board.active].filter((entry) => pools.includes(entry.pool)),
        ({ queue }) => queue,
      ),
      releases: { p50: releasesBy("p50"), p90: releasesBy("p90") },
      prospects: new Map(),
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

function estimate(board: Board, entry: Entry, prospect: Prospect): StartEstimate | undefined {
  const { lane, weight, own } = prospect;
  const { backlog, releases } = lane;
  const queueMs = prospect.beforeMs[entry.position - 1];
  if (queueMs === undefined) return undefined;
  const { workMs, part } = backlog.after(weight, queueMs);
  const mostMs = upperWork(workMs, backlog.varianceMs2 * (workMs / Math.max(1, backlog.workMs)));
  const lateMs = STAYS_LATE * usualStayMs(backlog);
  const p50Ms = Math.max(stretched(releases.p50, workMs, STRETCH.p50), gangAfterMs(lane, entry, "p50"));
  const p90Ms = Math.max(
    stretched(releases.p90, mostMs, STRETCH.p90) + lateMs,
    gangAfterMs(lane, entry, "p90"),
  );
  // A queue that may use few GPUs takes longer than its fair share would.
  const ownMs = board.nowMs + (own ? takenUpAfterMs(own, queueMs) : 0);
  const earliestMs = Math.max(ownMs, budgetOpensMs(board, entry, prospect));
  const startP50Ms = Math.round(Math.max(earliestMs, board.nowMs + p50Ms));
  const startP90Ms = Math.max(startP50Ms, Math.round(Math.max(earliestMs, board.nowMs + p90Ms)));
  if (!Number.isFinite(startP90Ms)) return undefined;
  const gpus = Math.max(entry.need, Math.min(entry.want, Math.floor(part * lane.gpus)));
  return {
    startP50Ms,
    startP90Ms,
    finishP50Ms: startP50Ms + Math.round(runMs(board, entry, "p50", gpus)),
    finishP90Ms: startP90Ms + Math.round(runMs(board, entry, "p90", gpus)),
  };
}

/**
 * A wait is longer than the flow of work says, because GPUs come in whole numbers, jobs grow in between and others
 * arrive; and in the worst of ten cases somebody else is served first, for a part of a usual stay. By how much is
 * measured: forecast.test.ts plays random clusters and holds these numbers to what happens there.
 */
const STRETCH: Readonly<Record<Quantile, number>> = { p50: 1.15, p90: 2 };
const STAYS_LATE = 0.75;

/** Until the first GPU becomes free there is nothing to be late with. */
function stretched(releases: Releases, workMs: number, factor: number): number {
  const firstMs = firstAfterMs(releases);
  if (firstMs === Infinity) return Infinity;
  return firstMs + factor * (takenUpAfterMs(releases, workMs) - firstMs);
}

/** A gang waits until enough GPUs are free at once. */
function gangAfterMs({ gpus, releases }: Lane, { need }: Entry, quantile: Quantile): number {
  return need === 1 ? 0 : gpusFreeAfterMs(releases[quantile], Math.min(need, gpus));
}

/** Undefined for a queue that may use all GPUs of the lane. */
function ownReleases(board: Board, row: QueueRow, lane: Lane): Releases | undefined {
  let limit = 0;
  for (const gpuClass of lane.classes) limit += row.quota.limit[gpuClass] ?? 0;
  if (limit >= lane.gpus) return undefined;
  const held: Release[] = [];
  let used = 0;
  for (const entry of lane.active.get(row.entry) ?? []) {
    held.push({ afterMs: doneMs(board, entry, "p50") - board.nowMs, gpus: entry.gpus });
    used += entry.gpus;
  }
  return createReleases([{ afterMs: 0, gpus: limit - used }, ...held], usualStayMs(lane.backlog));
}

/** How long a job is on each of its GPUs, as a rule. */
function usualStayMs({ workMs, gpus }: LaneBacklog): number {
  return workMs / Math.max(1, gpus);
}

/** The first window whose budget is not spent on what stands before the job. */
function budgetOpensMs(board: Board, { position }: Entry, { budgeted }: Prospect): number {
  const budget = budgeted?.entry.state.budget;
  if (!budget || !budgeted.budget) return board.nowMs;
  const beforeMs = budgeted.entry.backlog?.allBeforeMs[position - 1] ?? 0;
  const leftMs = 1000 * Math.max(0, budget.gpuSeconds - budgeted.budget.used - budgeted.reserved);
  if (leftMs > beforeMs) return board.nowMs;
  const windows = 1 + Math.floor((beforeMs - leftMs) / (1000 * budget.gpuSeconds));
  return windowStartMs(budget, board.nowMs) + windows * budget.windowSeconds * 1000;
}

/** From its start to its end. */
function runMs(board: Board, entry: Entry, quantile: Quantile, gpus: number): number {
  const speed = entry.shape.ladder[0]?.secondsPerImage ?? NO_TIME;
  return 1000 * (board.settings.reloadSeconds + shardsSeconds(entry, speed[quantile], gpus));
}
