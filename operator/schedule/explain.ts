import { type Block, type Board, type QueueRow, type ToldOfFirst, poolAt } from "./board.ts";
import { hasClass } from "./ladder.ts";
import type { BlockedOn } from "./plan.ts";
import { type Round, isOpen, queueRound } from "./round.ts";
import type { Entry } from "./roster.ts";
import type { Shape } from "./shapes.ts";
import { hindranceOf, isForEver } from "./offer.ts";
import { mostRoom, unlent } from "./quota.ts";
import { windowStartMs } from "./usage.ts";
import { counted, oneOf, utcMinute } from "./words.ts";

/** Why a job waits, in words. */
export interface Reason {
  /** One sentence: what blocks it, and when it starts. */
  readonly because: string;
  /** Its second half. */
  readonly unblockedBy: string;
}

/** What is told to a job that stands behind `count` others of its queue. */
export interface Standing {
  /** Behind one. */
  readonly one: Reason;
  /** Behind more: what follows their number. */
  readonly more: Reason;
}

interface Case {
  readonly board: Board;
  readonly row: QueueRow;
  readonly entry: Entry;
}

/** What blocks a job, and when it starts. */
interface Halves {
  readonly what: string;
  readonly when: string;
}

/** What a waiting job is told whose own turn found nothing: what it shares with the jobs before it. */
export function sharedBlock(round: Round, row: QueueRow, shape: Shape): Block {
  const queue = queueRound(round, row);
  const shared = queue.dead.get(shape) ?? hindranceOf(round.board, row, { shape });
  if (shared && isShared(shared)) return shared;
  if (queue.isClosed) return { on: "budget", isForEver: false };
  return queue.head ? { on: "order", behind: queue.head, pool: -1 } : (shared ?? { on: "pool" });
}

/** Others hold for the first of a shape; those of its shape stand behind it. */
function isShared(block: Block): boolean {
  return isForEver(block) || !ONLY_ITS_OWN.includes(block.on);
}

const ONLY_ITS_OWN: readonly Block["on"][] = ["gpus", "preemption", "quota", "cohort", "order"];

export function explain(one: Case, block: Block): Reason | Standing {
  if (block.on === "order") return behind(one, block.behind);
  return sentence(HALVES[block.on](one, block));
}

function sentence({ what, when }: Halves): Reason {
  return { because: `${what}: starts when ${when}.`, unblockedBy: when };
}

/** The reason of the job with this place among the waiting ones of its queue. */
export function reasonAt(told: Reason | Standing, position: number | undefined): Reason {
  if (!("more" in told)) return told;
  const count = Math.max(1, (position ?? 2) - 1);
  const { one, more } = told;
  return count === 1 ? one : { because: `${count}${more.because}`, unblockedBy: more.unblockedBy };
}

type Explanation = (one: Case, block: Block) => Halves;

const HALVES: Readonly<Record<Exclude<BlockedOn, "order">, Explanation>> = {
  pool: (one) => misfit(one),
  queue: ({ entry }) => ({
    what: `Queue ${entry.job.queue} does not exist`,
    when: `an OpalQueue of that name is made`,
  }),
  gpus: ({ board, entry }, block) => {
    const free = "free" in block ? block.free : 0;
    const pool = "pool" in block ? poolAt(board, block.pool) : undefined;
    return {
      what: `Needs ${counted(entry.need, "GPU")}${entry.need > 1 ? " at once" : ""}; pool ${pool?.state.name} has ${free} of ${pool?.state.maxGpus} free`,
      when: `${counted(entry.need - free, "more GPU")} of pool ${poolNames(board, entry)} ${entry.need - free === 1 ? "is" : "are"} free`,
    };
  },
  preemption: ({ board }, block) => ({
    what: `Others are giving GPUs of pool ${"pool" in block ? poolAt(board, block.pool).state.name : ""} back for it`,
    when: "their pods have ended",
  }),
  quota: ({ board, row, entry }, block) => {
    const gpuClass = "gpuClass" in block ? block.gpuClass : -1;
    const used = row.quota.used[gpuClass] ?? 0;
    const most = counted(mostRoom(row.quota, gpuClass), "GPU");
    const needs = entry.need > 1 ? `; the job needs ${entry.need} at once` : "";
    return {
      what: `Queue ${entry.queue.state.name} may use ${most} of class ${board.classes[gpuClass]} and uses ${used}${needs}`,
      when: isForEver(block) ? "its quota is raised" : "its other jobs end or its quota is raised",
    };
  },
  cohort: ({ board, row }, block) => {
    const gpuClass = "gpuClass" in block ? block.gpuClass : -1;
    const name = row.quota.cohort?.name ?? "";
    const left = row.quota.cohort ? unlent(row.quota.cohort, gpuClass) : 0;
    return {
      what: `Cohort ${name} has ${counted(left, "GPU")} of class ${board.classes[gpuClass]} left to lend`,
      when: "its queues give some back or its quotas are raised",
    };
  },
  budget: ({ board, row, entry }, block) => {
    const { budget } = row.entry.state;
    if (!budget) return { what: "Its queue has a budget", when: "it is raised" };
    if (isForEver(block)) {
      return {
        what: `The ${entry.need} shards that it begins with use more than the ${budget.gpuSeconds} GPU-seconds of queue ${row.entry.state.name}`,
        when: "its budget is raised, or minGpus is lowered",
      };
    }
    const endMs = windowStartMs(budget, board.nowMs) + budget.windowSeconds * 1000;
    return {
      what: `Queue ${row.entry.state.name} has used or assigned all of its ${budget.gpuSeconds} GPU-seconds`,
      when: `the next window begins at ${utcMinute(endMs)} or its budget is raised`,
    };
  },
  "job-budget": ({ entry: { job } }) => ({
    what: `Has used or been assigned all of its own ${job.budgetGpuSeconds} GPU-seconds`,
    when: "its budget is raised",
  }),
  "max-jobs": ({ row }) => ({
    what: `Queue ${row.entry.state.name} runs ${counted(row.admitted, "job")}, as many as it may at once`,
    when: "one of them ends",
  }),
  "stock-out": ({ board, entry }) => {
    const pools = entry.shape.ladder.map(({ pool }) => poolAt(board, pool)).filter((pool) => !isOpen(pool));
    const untilMs = Math.min(...pools.map(({ stockedOutUntilMs }) => stockedOutUntilMs ?? Infinity));
    return {
      what: `No nodes to be had for pool ${oneOf(pools.map(({ state }) => state.name))}`,
      when: `they are tried again at ${utcMinute(untilMs)} with success`,
    };
  },
};

function poolNames(board: Board, entry: Entry): string {
  return oneOf(entry.shape.ladder.map(({ pool }) => poolAt(board, pool).state.name));
}

function behind({ board, entry }: Case, first: Entry): Reason | Standing {
  let told = board.told.get(first);
  if (!told) board.told.set(first, (told = tellOf(board, first)));
  return first.queue === entry.queue ? told.standing : told.otherQueue;
}

/** Told to every job behind it, so put into words once. */
function tellOf(board: Board, first: Entry): ToldOfFirst {
  const { name } = first.queue.state;
  const waits = `${first.job.key} waits for ${counted(first.need, "GPU")} of pool ${poolNames(board, first)}`;
  return {
    otherQueue: sentence({
      what: `Queue ${name} is to be served first, and ${waits}`,
      when: "that job has started",
    }),
    standing: {
      one: sentence({
        what: `1 job of queue ${name} stands before it, and ${waits}`,
        when: "that one has started",
      }),
      more: sentence({
        what: ` jobs of queue ${name} stand before it, and ${waits}`,
        when: "they have started",
      }),
    },
  };
}

/** No pool can ever take it: the nearest miss, class before memory before size. */
function misfit({ board, entry }: Case): Halves {
  const { needs } = entry.shape;
  const states = board.pools.map(({ state }) => state);
  if (states.length === 0) return { what: "There is no pool of GPUs", when: "a GpuPool is made" };
  const ofClass = states.filter((pool) => hasClass(needs, pool));
  if (ofClass.length === 0) {
    const what = `Asks for GPU class ${oneOf(needs.classes)}; there is ${oneOf(board.classes)}`;
    return { what, when: "a pool of that class is made" };
  }
  const largeEnough = ofClass.filter(({ vramGiB }) => vramGiB >= needs.minVramGiB);
  if (largeEnough.length === 0) {
    const most = Math.max(...ofClass.map(({ vramGiB }) => vramGiB));
    return {
      what: `Asks for ${needs.minVramGiB} GiB of GPU memory; the most that its pools have is ${most} GiB a GPU`,
      when: "a pool with as much is made",
    };
  }
  const widest = Math.max(...largeEnough.map(({ maxGpus }) => maxGpus));
  return {
    what: `Needs ${needs.gpus} GPUs at once; the largest pool that fits has ${widest}`,
    when: "a pool is made as large, or minGpus is lowered",
  };
}
