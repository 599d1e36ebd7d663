import { type Block, type Board, type PoolRow, type QueueRow, poolAt, reservedSeconds } from "./board.ts";
import { type Rung, shardSeconds, workSeconds } from "./ladder.ts";
import { cohortRoom, isEntitled, mostRoom, ownRoom } from "./quota.ts";
import { mayPass } from "./reservation.ts";
import { type Round, isOpen, queueRound, unclaimed } from "./round.ts";
import type { Entry } from "./roster.ts";

/**
 * Whether a job can be given GPUs now, and from which pool. A rule looks at one rung of the job's ladder and
 * says what is in the way, or stays silent.
 */
export interface Offer {
  readonly on: "offer";
  readonly rung: Rung;
  readonly gpus: number;
}

interface Ask {
  readonly round: Round;
  readonly row: QueueRow;
  readonly entry: Entry;
  readonly rung: Rung;
  readonly pool: PoolRow;
  readonly gpus: number;
}

type Wish = Omit<Ask, "round" | "pool">;
type Rule = (ask: Ask) => Block | undefined;

const outOfStock: Rule = ({ pool }) => (isOpen(pool) ? undefined : { on: "stock-out" });

/** The last of the shards must begin before the budget is used up: it alone may reach beyond it. */
const queueBudget: Rule = ({ row, entry, rung, gpus }) => {
  if (!row.budget) return undefined;
  const left = row.budget.gpuSeconds - row.budget.used - row.reserved;
  const last = (gpus - 1) * shardSeconds(entry.job, rung);
  return left - last > 0 ? undefined : { on: "budget", isForEver: last >= row.budget.gpuSeconds };
};

const jobBudget: Rule = ({ entry, rung, gpus }) => {
  const { budgetGpuSeconds, usedGpuSeconds } = entry.job;
  if (budgetGpuSeconds === undefined) return undefined;
  const reserved = entry.gpus > 0 ? reservedSeconds(entry) : 0;
  const left = budgetGpuSeconds - usedGpuSeconds - reserved;
  return left - (gpus - 1) * shardSeconds(entry.job, rung) > 0 ? undefined : { on: "job-budget" };
};

const quotaAtAll: Rule = ({ row, pool: { gpuClass }, gpus }) =>
  mostRoom(row.quota, gpuClass) >= gpus ? undefined : { on: "quota", gpuClass, isForEver: true };

const ownQuota: Rule = ({ row, pool: { gpuClass }, gpus }) =>
  ownRoom(row.quota, gpuClass) >= gpus ? undefined : { on: "quota", gpuClass, isForEver: false };

const cohortQuota: Rule = ({ row, pool: { gpuClass }, gpus }) =>
  cohortRoom(row.quota, gpuClass) >= gpus ? undefined : { on: "cohort", gpuClass };

const queueOrder: Rule = ({ round, row, entry, pool }) => {
  const behind = queueRound(round, row).waitsForQuota[pool.gpuClass];
  return behind && behind !== entry ? { on: "order", behind, pool: pool.index } : undefined;
};

const cohortOrder: Rule = ({ round, row, entry, pool, gpus }) => {
  const { cohort } = row.quota;
  const behind = cohort && round.cohorts.get(cohort.name)?.[pool.gpuClass];
  if (!behind || behind === entry || isEntitled(row.quota, pool.gpuClass, gpus)) return undefined;
  return { on: "order", behind, pool: pool.index };
};

const freeGpus: Rule = ({ round, pool, gpus }) => {
  const free = unclaimed(round, pool);
  return free >= gpus ? undefined : { on: "gpus", pool: pool.index, free: Math.max(0, free) };
};

const reserved: Rule = ({ round, entry, rung, gpus }) => {
  const reservation = round.reservations[rung.pool];
  if (!reservation || mayPass(round.board, reservation, { entry, rung, gpus })) return undefined;
  return { on: "order", behind: reservation.head, pool: rung.pool };
};

/** Order is behaviour: the first that speaks is what the job is told. */
const RULES: readonly Rule[] = [
  quotaAtAll,
  outOfStock,
  jobBudget,
  queueBudget,
  ownQuota,
  cohortQuota,
  queueOrder,
  cohortOrder,
  freeGpus,
  reserved,
];

/** The nearer to a start, the lower: of several pools a job is told of the one that it will most likely get. */
const DISTANCE: Readonly<Record<Block["on"], number>> = {
  gpus: 0,
  preemption: 0,
  order: 1,
  cohort: 2,
  quota: 3,
  "max-jobs": 4,
  "job-budget": 5,
  budget: 5,
  "stock-out": 6,
  pool: 7,
  queue: 8,
};

function distance(block: Block): number {
  return DISTANCE[block.on] + (isForEver(block) ? 10 : 0);
}

/** True when no other job's end can help. */
export function isForEver(block: Block): boolean {
  return "isForEver" in block && block.isForEver;
}

/** What a job waits for that others could take away from it. */
const CONTENDED: readonly Block["on"][] = ["gpus", "quota", "cohort", "order"];

export function isContended(block: Block): boolean {
  return CONTENDED.includes(block.on) && !isForEver(block);
}

/** What the job can be given now: a start with what it needs at once, or one more GPU of the pool that it has. */
export function offerFor(round: Round, row: QueueRow, entry: Entry): Offer | Block {
  if (entry.gpus > 0) return growthOf(round, row, entry);
  const hindrance = hindranceOf(round.board, row, entry);
  if (hindrance) return hindrance;
  let block: Block | undefined;
  const offers: Offer[] = [];
  for (const rung of entry.shape.ladder) {
    const answer = askFor(round, { row, entry, rung, gpus: entry.need });
    if (answer.on === "offer") {
      if (entry.job.deadlineMs === undefined) return answer;
      offers.push(answer);
    } else if (!block || distance(answer) < distance(block)) block = answer;
  }
  return inTime(round, entry, offers) ?? block ?? { on: "pool" };
}

function growthOf(round: Round, row: QueueRow, entry: Entry): Offer | Block {
  const rung = entry.shape.ladder.find(({ pool }) => pool === entry.pool);
  return rung ? askFor(round, { row, entry, rung, gpus: 1 }) : { on: "pool" };
}

function askFor(round: Round, wish: Wish): Offer | Block {
  return blockOn(round, wish) ?? { on: "offer", rung: wish.rung, gpus: wish.gpus };
}

/** What keeps the job from getting so many GPUs of this rung's pool; undefined: nothing. */
export function blockOn(round: Round, wish: Wish): Block | undefined {
  const ask: Ask = { ...wish, round, pool: poolAt(round.board, wish.rung.pool) };
  for (const rule of RULES) {
    const block = rule(ask);
    if (block) return block;
  }
  return undefined;
}

/** What no free GPU could change; the same for all jobs of a shape in a queue. */
export function hindranceOf(board: Board, row: QueueRow, { shape }: Pick<Entry, "shape">): Block | undefined {
  if (!row.entry.exists) return { on: "queue" };
  const first = shape.ladder[0];
  if (!first) return { on: "pool" };
  const hasRoom = shape.ladder.some(
    ({ pool }) => mostRoom(row.quota, poolAt(board, pool).gpuClass) >= shape.needs.gpus,
  );
  if (!hasRoom) return { on: "quota", gpuClass: poolAt(board, first.pool).gpuClass, isForEver: true };
  return row.admitted >= (row.entry.state.maxJobs ?? Infinity) ? { on: "max-jobs" } : undefined;
}

/** With a deadline: the cheapest pool that meets it with the GPUs that are free there, else the soonest done. */
function inTime(round: Round, entry: Entry, offers: readonly Offer[]): Offer | undefined {
  const { board } = round;
  const doneMs = ({ rung }: Offer) => {
    const gpus = Math.min(entry.want, poolAt(board, rung.pool).free);
    const seconds = board.settings.reloadSeconds + workSeconds(entry.job, rung.secondsPerImage.p90, gpus);
    return board.nowMs + 1000 * seconds;
  };
  const meeting = offers.find((offer) => doneMs(offer) <= (entry.job.deadlineMs ?? Infinity));
  return meeting ?? [...offers].sort((a, b) => doneMs(a) - doneMs(b))[0];
}
