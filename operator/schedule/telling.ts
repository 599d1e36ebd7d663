import { type Board, type Change, type PoolRow, type QueueRow, poolAt, rowFor } from "./board.ts";
import { type Forecast, createForecast, finishEstimate } from "./eta.ts";
import { explain, reasonAt } from "./explain.ts";
import { plainShare, servedShare } from "./fair-share.ts";
import { compareText } from "./order.ts";
import type {
  Admitted,
  AllocationChange,
  ChangeReason,
  Plan,
  PoolPlan,
  Preempted,
  QueuePlan,
  Waiting,
} from "./plan.ts";
import { isForEver } from "./offer.ts";
import { type Outlook, createOutlooks } from "./outlook.ts";
import { borrowed } from "./quota.ts";
import type { Entry, Roster } from "./roster.ts";
import type { Round } from "./round.ts";
import { wakeAtMs } from "./wake.ts";

/** The plan that the last round has come to. */
export function tell(roster: Roster, round: Round): Plan {
  const { board } = round;
  const forecast = createForecast(board);
  const outlookOf = createOutlooks(round, forecast);
  const admitted = new Map<string, Admitted>();
  const preempted = new Map<string, Preempted>();
  for (const entry of [...board.active].sort((a, b) => compareText(a.job.uid, b.job.uid))) {
    admitted.set(entry.job.uid, admittedOf(board, entry));
  }
  for (const { entry } of board.queues) {
    for (const { job, gpus, change } of entry.occupants) {
      if (gpus > 0 || !job.holding || !change) continue;
      const { pool, gpus: held } = job.holding;
      preempted.set(job.uid, {
        ...changeOf(change),
        pool,
        gpus: held,
        lostGpuSeconds: change.lostGpuSeconds,
      });
    }
  }
  return {
    nowMs: board.nowMs,
    admitted,
    preempted,
    pools: new Map(board.pools.map((pool) => [pool.state.name, poolPlan(pool)])),
    queues: new Map(
      board.queues
        .filter(({ entry }) => entry.exists)
        .map((row) => [row.entry.state.name, queuePlan(board, row)]),
    ),
    wakeAtMs: wakeAtMs(round),
    placementOf(uid) {
      const entry = roster.entries.get(uid);
      if (!entry) return undefined;
      if (entry.gpus > 0) return admitted.get(uid);
      const waiting = waitingOf(entry, outlookOf(entry), { board, forecast });
      const lost = entry.job.holding && preempted.get(uid);
      return lost ? { ...waiting, change: changeIn(lost) } : waiting;
    },
  };
}

function admittedOf(board: Board, entry: Entry): Admitted {
  const { holding } = entry.job;
  const pool = poolAt(board, entry.pool).state.name;
  const isLess = holding !== undefined && (holding.pool !== pool || entry.gpus < holding.gpus);
  return {
    kind: "admitted",
    pool,
    gpus: entry.gpus,
    eta: finishEstimate(board, entry),
    ...(isLess && entry.change && { change: changeOf(entry.change) }),
  };
}

function changeOf({ reason, for: heir }: Change): AllocationChange {
  const because = `${SENTENCES[reason](heir ? `${heir.job.key} of queue ${heir.queue.state.name}` : "another job")}.`;
  return { reason, because, ...(heir && { forUid: heir.job.uid }) };
}

const SENTENCES: Readonly<Record<ChangeReason, (heir: string) => string>> = {
  Reclaimed: (heir) => `The GPUs were borrowed, and ${heir} is entitled to them`,
  FairShare: (heir) => `Its queue has more than its fair share, and ${heir} waits with less`,
  Priority: (heir) => `${heir} has a higher priority`,
  StockOut: () => "The pool has no nodes for it",
  CheaperPool: () => "A cheaper pool has GPUs again",
  Budget: () => "The budget allows no further shard",
  LimitLowered: () => "The pool or a quota became smaller",
  FewerShards: () => "Fewer shards are left than it has GPUs",
};

function changeIn({ reason, because, forUid }: Preempted): AllocationChange {
  return { reason, because, ...(forUid && { forUid }) };
}

function waitingOf(
  entry: Entry,
  outlook: Outlook,
  { board, forecast }: { readonly board: Board; readonly forecast: Forecast },
): Waiting {
  const own = entry.block;
  const { on } = own ?? outlook.block;
  const position = forecast.position(entry);
  const told = own ? explain({ board, row: rowFor(board, entry), entry }, own) : outlook.told;
  const { because, unblockedBy } = reasonAt(told, position);
  const { prospect } = outlook;
  const canStart = prospect && on !== "job-budget" && !isForEver(own ?? outlook.block);
  return {
    kind: "waiting",
    position,
    blockedOn: on,
    because,
    unblockedBy,
    eta: canStart ? forecast.start(entry, prospect) : undefined,
  };
}

function poolPlan(pool: PoolRow): PoolPlan {
  return {
    gpus: pool.state.maxGpus,
    inUse: pool.assigned,
    ending: pool.ending,
    stockOut: pool.stockOut,
    stockedOutUntilMs: pool.stockedOutUntilMs,
  };
}

function queuePlan(board: Board, row: QueueRow): QueuePlan {
  const inUse: Record<string, number> = {};
  const borrows: Record<string, number> = {};
  for (const [index, gpuClass] of board.classes.entries()) {
    const used = row.quota.used[index] ?? 0;
    if (used > 0) inUse[gpuClass] = used;
    const more = row.entry.state.quotas.length > 0 ? borrowed(row.quota, index) : 0;
    if (more > 0) borrows[gpuClass] = more;
  }
  return {
    pending: row.entry.jobs.length - row.admitted,
    admitted: row.admitted,
    inUse,
    borrowed: borrows,
    share: plainShare(board, row),
    weightedShare: servedShare(board, row),
    budgetLeftGpuSeconds: row.budget && Math.max(0, row.budget.gpuSeconds - row.budget.used),
    reservedGpuSeconds: Math.max(0, row.reserved),
  };
}
