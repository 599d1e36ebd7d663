import { type Block, type Board, type QueueRow, poolAt } from "./board.ts";
import { servedShare } from "./fair-share.ts";
import { grant } from "./grant.ts";
import { createHeap } from "./heap.ts";
import { serveHeirs } from "./heirs.ts";
import { type Offer, isContended, offerFor } from "./offer.ts";
import { preempt } from "./preemption.ts";
import { isEntitled } from "./quota.ts";
import { isAnyInReach, isOutOfReach, reserve } from "./reservation.ts";
import { type QueueRound, type Round, endRound, holdQuota, queueRound, startRound } from "./round.ts";
import type { Entry } from "./roster.ts";

/**
 * One round: the queue that has the least share is served next, one start or one GPU at a time;
 * queues within their nominal quota go before those that borrow. A queue whose best job does not fit goes on
 * with its next job of other needs, as far as that takes nothing that a job before it waits for.
 */
interface Turn {
  readonly row: QueueRow;
  /** Index of the job in its queue. */
  readonly at: number;
  readonly entry: Entry;
  readonly answer: Offer | Block;
  readonly isEntitled: boolean;
  readonly share: number;
  /** The round's `version` when the answer was given. */
  readonly version: number;
}

/** A turn whose job gets nothing. */
type Refused = Turn & { readonly answer: Block };

const isRefused = (turn: Turn): turn is Refused => turn.answer.on !== "offer";

export function fillRound(board: Board): Round {
  const round = startRound(board);
  serveHeirs(round);
  const heap = createHeap<Turn>(isBefore);
  for (const row of board.queues) {
    const turn = nextTurn(round, row, 0);
    if (turn) heap.push(turn);
  }
  for (let turn = heap.pop(); turn; turn = heap.pop()) {
    const now = refreshed(round, turn);
    const other = heap.peek();
    if (other && isBefore(other, now)) heap.push(now);
    else {
      const next = serve(round, now);
      if (next) heap.push(next);
    }
  }
  endRound(round);
  return round;
}

/** What was offered may be gone by now, and then it may be another queue's turn. What was refused stays so. */
function refreshed(round: Round, turn: Turn): Turn {
  const isSure = turn.answer.on !== "offer" || turn.version === round.version;
  return isSure ? turn : turnOf(round, turn.row, turn.at, turn.entry);
}

function isBefore(a: Turn, b: Turn): boolean {
  if (a.isEntitled !== b.isEntitled) return a.isEntitled;
  return a.share < b.share || (a.share === b.share && a.row.index < b.row.index);
}

function nextTurn(round: Round, row: QueueRow, from: number): Turn | undefined {
  const queue = queueRound(round, row);
  const { jobs } = row.entry;
  for (let at = from; at < jobs.length; at++) {
    if (queue.isClosed || (queue.head && !isAnyInReach(round))) return undefined;
    const entry = jobs[at];
    if (!entry || !isWorthAsking(round, queue, entry)) continue;
    const turn = turnOf(round, row, at, entry);
    if (!isSettled(turn)) return turn;
    if (entry.gpus === 0) refuse(round, turn);
  }
  return undefined;
}

function isWorthAsking(round: Round, queue: QueueRound, entry: Entry): boolean {
  if (entry.gpus >= entry.want || round.promised.has(entry)) return false;
  return entry.gpus > 0 ? canGrow(round, entry) : isWorthALook(round, queue, entry);
}

/**
 * A refusal that takes nothing from anybody needs no turn. Were it given one, the queue's rank would be that of a
 * job that nothing can help, and others would take what a job behind it is entitled to, and has perhaps had
 * preempted.
 */
function isSettled(turn: Turn): turn is Refused {
  return isRefused(turn) && (turn.entry.gpus > 0 || !isContended(turn.answer));
}

function canGrow(round: Round, entry: Entry): boolean {
  return poolAt(round.board, entry.pool).free > 0;
}

/** Behind the queue's first waiting job, only what may pass it is looked at. */
function isWorthALook(round: Round, queue: QueueRound, { shape }: Entry): boolean {
  return !(queue.head && isOutOfReach(round, shape)) && !queue.dead.has(shape);
}

function turnOf(round: Round, row: QueueRow, at: number, entry: Entry): Turn {
  const answer = offerFor(round, row, entry);
  const first = entry.shape.ladder[0];
  const rung = answer.on === "offer" ? answer.rung : first;
  const gpus = answer.on === "offer" ? answer.gpus : entry.need;
  const gpuClass = rung ? poolAt(round.board, rung.pool).gpuClass : -1;
  return {
    row,
    at,
    entry,
    answer,
    isEntitled: isEntitled(row.quota, gpuClass, gpus),
    share: servedShare(round.board, row),
    version: round.version,
  };
}

function serve(round: Round, turn: Turn): Turn | undefined {
  const { row, at, entry, answer } = turn;
  if (answer.on === "offer") {
    grant(round, entry, answer);
    return nextTurn(round, row, at);
  }
  if (entry.gpus === 0 && isRefused(turn)) refuse(round, turn);
  return nextTurn(round, row, at + 1);
}

function refuse(round: Round, turn: Refused): void {
  const { entry, answer } = turn;
  round.blocked.push(entry);
  entry.block = answer;
  if (isContended(answer)) contend(round, turn);
  else giveUp(round, turn);
}

/** Nothing that others have could help the job. */
function giveUp(round: Round, { row, entry, answer }: Refused): void {
  const queue = queueRound(round, row);
  if (answer.on !== "job-budget") queue.dead.set(entry.shape, answer);
  if (answer.on === "budget" && !answer.isForEver) close(queue, entry);
}

function contend(round: Round, turn: Refused): void {
  const claimed = queueRound(round, turn.row).head ? undefined : preempt(round, turn);
  if (claimed) turn.entry.block = claimed;
  else holdBack(round, turn);
}

/** The queue's budget is spent: nothing more of it starts. */
function close(queue: QueueRound, entry: Entry): void {
  queue.head ??= entry;
  queue.isClosed = true;
}

/** Keeps those behind from taking what the job waits for. */
function holdBack(round: Round, turn: Refused): void {
  const { row, entry, answer: block } = turn;
  const queue = queueRound(round, row);
  queue.head ??= entry;
  queue.dead.set(entry.shape, block);
  holdQuota(round, entry, block);
  if (block.on === "gpus") reserve(round, turn);
}
