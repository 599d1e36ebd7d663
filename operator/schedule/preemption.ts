import { type Block, type Board, type PoolRow, type QueueRow, poolAt, rowFor } from "./board.ts";
import type { Rung } from "./ladder.ts";
import { blockOn, isContended, isForEver, offerFor } from "./offer.ts";
import { compareJobs } from "./order.ts";
import { presentShare, servedShare } from "./fair-share.ts";
import { byLoss, shed } from "./keeping.ts";
import type { ChangeReason } from "./plan.ts";
import { type QuotaRow, cohortRoom, isEntitled, ownRoom, takeQuota } from "./quota.ts";
import { type Round, unclaimed } from "./round.ts";
import type { Entry } from "./roster.ts";

/**
 * Who must give GPUs back for a job that waits. Three reasons, and no other:
 *   - Priority: within one queue, from a lower priority to a higher one.
 *   - Reclaimed: from a queue beyond its nominal quota to one that stays within its own.
 *   - FairShare: from a queue beyond its nominal quota to one that even afterwards has no larger share than it,
 *     and that is served before it even then.
 *
 * None of them holds the other way round afterwards, and the one who gained stands before the victim when GPUs
 * become free: so no victim gets its GPUs back from its preemptor, and preemption comes to an end. Of the possible victims those lose their GPUs whose work is lost at the least price, an elastic job
 * only so many as are needed; nobody before its minimum run time.
 */
export function preempt(round: Round, turn: Turn): Block | undefined {
  for (const rung of turn.entry.shape.ladder) {
    const pool = poolAt(round.board, rung.pool);
    const isBehind = isReservedByOther(round, pool, turn);
    if (!couldHelp(round, { ...turn, rung, pool, isBehind })) continue;
    const lack = lackOf(round, { ...turn, pool, isBehind });
    if (isCovered(lack)) return claim(round, { ...turn, pool });
    const victims = victimsFor(round.board, { ...turn, pool, isBehind, lack });
    if (!victims) continue;
    for (const { victim, gpus, reason } of victims) {
      shed(round.board, victim, { gpus, reason, heir: turn.entry });
    }
    round.hasChanged = true;
    round.board.heirs.set(turn.entry, pool);
    return claim(round, { ...turn, pool });
  }
  return undefined;
}

/**
 * Claims again, in a new round, what others have given up for the job; undefined when that is no longer all that
 * it lacks.
 */
export function claimAgain(round: Round, turn: Turn, pool: PoolRow): Block | undefined {
  const rung = turn.entry.shape.ladder.find((one) => one.pool === pool.index);
  const wish = { ...turn, pool, isBehind: false };
  if (!rung || !couldHelp(round, { ...wish, rung }) || !isCovered(lackOf(round, wish))) return undefined;
  return claim(round, wish);
}

/** True when GPUs or quota are all that the job lacks here, and it may ask for them. */
function couldHelp(round: Round, wish: Turn & { rung: Rung; pool: PoolRow; isBehind: boolean }): boolean {
  const { row, entry, rung, pool, isBehind } = wish;
  if (isBehind && !(hasLower(row, entry) && wouldStandBefore(round, pool, wish))) return false;
  const block = blockOn(round, { row, entry, rung, gpus: entry.need });
  if (!block || isForEver(block)) return false;
  if (block.on === "order") return isBehind && block.behind === round.reservations[pool.index]?.head;
  return LACKING.includes(block.on);
}

function hasLower(row: QueueRow, { job }: Entry): boolean {
  return row.entry.occupants.some((one) => one.gpus > 0 && one.job.priority < job.priority);
}

const LACKING: readonly Block["on"][] = ["gpus", "quota", "cohort"];

/** A job whose turn it is. */
export interface Turn {
  readonly row: QueueRow;
  readonly entry: Entry;
}

function isReservedByOther(round: Round, pool: PoolRow, { entry }: Turn): boolean {
  const reservation = round.reservations[pool.index];
  return reservation !== undefined && reservation.head !== entry;
}

/**
 * Free GPUs go to the one for whom the pool is reserved. Only a job that takes the place of another of its own
 * queue may come before him: if its queue, whose share stays the same by it, is to be served before his.
 */
function wouldStandBefore({ board, reservations }: Round, pool: PoolRow, { row, entry }: Turn): boolean {
  const other = reservations[pool.index];
  if (!other) return true;
  const isWithin = isEntitled(row.quota, pool.gpuClass, 0);
  if (isWithin !== other.isEntitled) return isWithin;
  return servedShare(board, row, { gpuClass: pool.gpuClass, gpus: -entry.need }) < other.share;
}

/** From now on the job's GPUs count as its queue's, so that the next job of the queue claims no more than its due. */
function claim(round: Round, { row, entry, pool }: Turn & { pool: PoolRow }): Block {
  round.claimed[pool.index] = (round.claimed[pool.index] ?? 0) + entry.need;
  takeQuota(row.quota, pool.gpuClass, entry.need);
  round.version++;
  round.claims.push({ row, gpuClass: pool.gpuClass, gpus: entry.need });
  return { on: "preemption", pool: pool.index, free: Math.max(0, pool.free) };
}

/** How many GPUs are missing: in the pool, of the queue's own quota and of the cohort's. None: at most 0. */
interface Lack {
  readonly pool: number;
  readonly own: number;
  readonly cohort: number;
}

function lackOf(round: Round, claim: Omit<Claim, "lack">): Lack {
  const { row, entry, pool, isBehind } = claim;
  const coming = isBehind ? 0 : pool.free + pool.ending - (round.claimed[pool.index] ?? 0);
  const startsAtOnce = unclaimed(round, pool) >= entry.need;
  const need = entry.need + (startsAtOnce ? 0 : growthBefore(round, claim));
  return {
    pool: need - coming,
    own: need - ownRoom(row.quota, pool.gpuClass),
    cohort: need - cohortRoom(row.quota, pool.gpuClass),
  };
}

/**
 * GPUs that jobs before it in its queue could grow by: until pods have ended and it can start, they would take what
 * others gave up for it.
 */
function growthBefore(round: Round, { row, entry, pool }: Omit<Claim, "lack">): number {
  const { gpuClass } = pool;
  let gpus = 0;
  for (const one of row.entry.occupants) {
    const wishes = one.gpus > 0 ? one.want - one.gpus : 0;
    if (wishes <= 0 || compareJobs(one.job, entry.job) > 0) continue;
    if (poolAt(round.board, one.pool).gpuClass !== gpuClass) continue;
    const answer = offerFor(round, row, one);
    if (answer.on === "offer" || isContended(answer)) gpus += wishes;
  }
  return gpus;
}

function isCovered(lack: Lack): boolean {
  return lack.pool <= 0 && lack.own <= 0 && lack.cohort <= 0;
}

interface Claim {
  readonly row: QueueRow;
  readonly entry: Entry;
  readonly pool: PoolRow;
  /** Another job stands before it: only its own queue's GPUs can help. */
  readonly isBehind: boolean;
  readonly lack: Lack;
}

interface Victim {
  readonly victim: Entry;
  readonly gpus: number;
  readonly reason: ChangeReason;
  /** What is missing less because of it. */
  readonly gain: Lack;
}

function victimsFor(board: Board, claim: Claim): readonly Victim[] | undefined {
  const isOwnMatter = claim.isBehind || claim.lack.own > 0;
  const possible = isOwnMatter ? claim.row.entry.occupants : [...board.active];
  const candidates = possible.filter((one) => isRipe(board, one) && concerns(board, claim, one));
  const taken = new Map<QueueRow, number>();
  const victims: Victim[] = [];
  let { lack } = claim;
  for (const candidate of byLoss(board, candidates)) {
    const row = rowFor(board, candidate);
    const victim = victimOf(board, { ...claim, lack }, { entry: candidate, taken: taken.get(row) ?? 0 });
    if (!victim) continue;
    taken.set(row, (taken.get(row) ?? 0) + victim.gpus);
    victims.push(victim);
    lack = less(lack, victim.gain);
    if (isCovered(lack)) return withoutNeedless(victims, lack);
  }
  return undefined;
}

function isRipe(board: Board, entry: Entry): boolean {
  return entry.gpus > 0 && board.nowMs - entry.sinceMs >= 1000 * board.settings.minRunSeconds;
}

/** Whether the job has anything of what is missing. */
function concerns(board: Board, { row, entry, pool, lack }: Claim, one: Entry): boolean {
  if (one === entry) return false;
  if (lack.pool > 0 && one.pool === pool.index) return true;
  if (poolAt(board, one.pool).gpuClass !== pool.gpuClass) return false;
  if (one.queue === row.entry) return true;
  return (
    lack.cohort > 0 && row.quota.cohort !== undefined && rowFor(board, one).quota.cohort === row.quota.cohort
  );
}

function victimOf(
  board: Board,
  claim: Claim,
  { entry: one, taken }: { entry: Entry; taken: number },
): Victim | undefined {
  const right = rightTo(board, claim, { entry: one, taken });
  if (!right) return undefined;
  const all = gainFrom(board, claim, { entry: one, gpus: one.gpus });
  const useful = usefulOf(all, claim.lack);
  if (useful <= 0) return undefined;
  const wanted = Math.min(useful, right.gpus);
  const spare = one.gpus - one.need;
  const gpus = wanted <= spare ? wanted : one.gpus;
  const giver = { row: rowFor(board, one), gpuClass: poolAt(board, one.pool).gpuClass, taken: taken + gpus };
  if (right.reason === "FairShare" && !leavesEnough(board, claim, giver)) return undefined;
  return { victim: one, gpus, reason: right.reason, gain: gainFrom(board, claim, { entry: one, gpus }) };
}

function usefulOf(gain: Lack, lack: Lack): number {
  return Math.max(
    Math.min(gain.pool, lack.pool),
    Math.min(gain.own, lack.own),
    Math.min(gain.cohort, lack.cohort),
  );
}

/** What so many GPUs of this job bring. */
function gainFrom(board: Board, { row, pool }: Claim, from: { entry: Entry; gpus: number }): Lack {
  const victimRow = rowFor(board, from.entry);
  const isSameClass = poolAt(board, from.entry.pool).gpuClass === pool.gpuClass;
  const isSameCohort = row.quota.cohort !== undefined && victimRow.quota.cohort === row.quota.cohort;
  return {
    pool: from.entry.pool === pool.index ? from.gpus : 0,
    own: isSameClass && victimRow === row ? from.gpus : 0,
    cohort: isSameClass && isSameCohort ? Math.min(from.gpus, returned(victimRow.quota, pool.gpuClass)) : 0,
  };
}

/** GPUs that the cohort gets back at most when the queue gives GPUs up. */
function returned(quota: QuotaRow, gpuClass: number): number {
  return Math.max(0, (quota.used[gpuClass] ?? 0) - (quota.guaranteed[gpuClass] ?? 0));
}

interface Right {
  readonly reason: ChangeReason;
  /** At most so many. */
  readonly gpus: number;
}

function rightTo(board: Board, claim: Claim, from: { entry: Entry; taken: number }): Right | undefined {
  const victimRow = rowFor(board, from.entry);
  if (victimRow === claim.row) {
    const isLower = from.entry.job.priority < claim.entry.job.priority;
    return isLower ? { reason: "Priority", gpus: from.entry.gpus } : undefined;
  }
  const gpuClass = poolAt(board, from.entry.pool).gpuClass;
  const used = (victimRow.quota.used[gpuClass] ?? 0) - from.taken;
  const beyond = used - (victimRow.quota.nominal[gpuClass] ?? 0);
  if (beyond <= 0) return undefined;
  if (isEntitled(claim.row.quota, claim.pool.gpuClass, claim.entry.need)) {
    return { reason: "Reclaimed", gpus: beyond };
  }
  const gpus = fairGpus(board, claim, { row: victimRow, taken: from.taken, gpuClass });
  return gpus > 0 ? { reason: "FairShare", gpus: Math.min(gpus, beyond) } : undefined;
}

/** How many GPUs the victim's queue can give and still be the one that has more, see `leavesEnough`. */
function fairGpus(board: Board, claim: Claim, from: Giver): number {
  const most = Math.max(claim.lack.pool, claim.lack.cohort, 0);
  let gpus = 0;
  while (gpus < most && leavesEnough(board, claim, { ...from, taken: from.taken + gpus + 1 })) gpus++;
  return gpus;
}

interface Giver {
  readonly row: QueueRow;
  readonly gpuClass: number;
  /** What it has given already. */
  readonly taken: number;
}

/** By present share with all that the one gets and the other gives; and the one is served first even then. */
function leavesEnough(board: Board, { row, entry, pool }: Claim, giver: Giver): boolean {
  const gets = { gpuClass: pool.gpuClass, gpus: entry.need };
  const gives = { gpuClass: giver.gpuClass, gpus: -giver.taken };
  return (
    presentShare(board, row, gets) <= presentShare(board, giver.row, gives) &&
    servedShare(board, row) < servedShare(board, giver.row, gives)
  );
}

function less(lack: Lack, gain: Lack): Lack {
  return { pool: lack.pool - gain.pool, own: lack.own - gain.own, cohort: lack.cohort - gain.cohort };
}

/** A later, larger victim may have made earlier ones needless: they keep what they have. */
function withoutNeedless(victims: readonly Victim[], covered: Lack): readonly Victim[] {
  let lack = covered;
  return victims.filter(({ gain }) => {
    const without = less(lack, { pool: -gain.pool, own: -gain.own, cohort: -gain.cohort });
    if (!isCovered(without)) return true;
    lack = without;
    return false;
  });
}
