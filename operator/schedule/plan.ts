import type { StockOutMemory } from "./world.ts";

/**
 * What the scheduler answers. A plan says what shall be, not what to do: applying it twice changes nothing.
 */
export interface Plan {
  readonly nowMs: number;
  /** Jobs that shall hold GPUs, by uid: those that keep them, get more or fewer, move or start. */
  readonly admitted: ReadonlyMap<string, Admitted>;
  /** Jobs that hold GPUs and shall give all of them back, by uid: they wait again (`placementOf`). */
  readonly preempted: ReadonlyMap<string, Preempted>;
  readonly pools: ReadonlyMap<string, PoolPlan>;
  readonly queues: ReadonlyMap<string, QueuePlan>;
  /** When time alone will change the plan; undefined: only a change of the world does. */
  readonly wakeAtMs: number | undefined;
  /**
   * The job's part of the plan; undefined for a job that the world does not have. Made when asked for, because
   * one arrival moves thousands of waiting jobs by one place. A scheduler's plan answers until its next step.
   */
  placementOf(uid: string): Placement | undefined;
}

export type Placement = Admitted | Waiting;

export interface Admitted {
  readonly kind: "admitted";
  /** Other than the holding's pool: end the attempt and begin the next one, with what is unfinished, there. */
  readonly pool: string;
  readonly gpus: number;
  readonly eta: FinishEstimate;
  /** Present when the job shall have fewer GPUs than it holds, or others. */
  readonly change?: AllocationChange | undefined;
}

export const CHANGE_REASONS = [
  /** The queue whose nominal quota it borrowed needs it back. */
  "Reclaimed",
  /** A queue that has less than its fair share needs it. */
  "FairShare",
  /** A job of the same queue with a higher priority needs it. */
  "Priority",
  /** The pool has no nodes for it. */
  "StockOut",
  /** A cheaper pool has GPUs again. */
  "CheaperPool",
  /** The budget allows no further shard. */
  "Budget",
  /** The pool became smaller or the quota less. */
  "LimitLowered",
  /** Fewer shards are left than it has GPUs. */
  "FewerShards",
] as const;
export type ChangeReason = (typeof CHANGE_REASONS)[number];

export interface AllocationChange {
  readonly reason: ChangeReason;
  /** Uid of the job that needs the GPUs, where one does. */
  readonly forUid?: string | undefined;
  /** One sentence. */
  readonly because: string;
}

export interface Preempted extends AllocationChange {
  readonly pool: string;
  readonly gpus: number;
  /** Work that is done again later, by expectation: unsaved GPU time and the next start's reload. */
  readonly lostGpuSeconds: number;
}

export const BLOCKED_ON = [
  /** No pool can ever take the job. */
  "pool",
  /** Its queue does not exist. */
  "queue",
  /** Too few GPUs are free. */
  "gpus",
  /** GPUs are on their way: others are giving them back. */
  "preemption",
  /** Others stand before it. */
  "order",
  /** Its queue's own limit. */
  "quota",
  /** What the cohort has to lend is lent. */
  "cohort",
  /** Its queue's budget. */
  "budget",
  /** Its own budget. */
  "job-budget",
  /** Its queue's limit of jobs at once. */
  "max-jobs",
  /** The pools that could take it have no nodes. */
  "stock-out",
] as const;
export type BlockedOn = (typeof BLOCKED_ON)[number];

export interface Waiting {
  readonly kind: "waiting";
  /** Place among the waiting jobs of its queue, from 1; undefined for a job that can never start as it is. */
  readonly position: number | undefined;
  readonly blockedOn: BlockedOn;
  /** One sentence: what blocks the job, and what would unblock it. */
  readonly because: string;
  /** The second half of it alone: "3 more GPUs of pool t4 are free". */
  readonly unblockedBy: string;
  /** Undefined for a job that can never start as it is. */
  readonly eta: StartEstimate | undefined;
  /** Present when it still holds GPUs and shall give all of them back. */
  readonly change?: AllocationChange | undefined;
}

/** Half of all jobs finish by p50, nine of ten by p90: if nothing more urgent arrives. */
export interface FinishEstimate {
  readonly finishP50Ms: number;
  readonly finishP90Ms: number;
}

export interface StartEstimate extends FinishEstimate {
  readonly startP50Ms: number;
  readonly startP90Ms: number;
}

export interface PoolPlan {
  readonly gpus: number;
  /** Assigned by this plan. */
  readonly inUse: number;
  /** Taken by pods that are ending. */
  readonly ending: number;
  /** Write it to the pool's status: the next world brings it back. */
  readonly stockOut: StockOutMemory | undefined;
  readonly stockedOutUntilMs: number | undefined;
}

export interface QueuePlan {
  /** Jobs that wait, and jobs that hold GPUs. */
  readonly pending: number;
  readonly admitted: number;
  /** GPUs by class. */
  readonly inUse: Readonly<Record<string, number>>;
  /** Of them, those beyond the nominal quota. */
  readonly borrowed: Readonly<Record<string, number>>;
  /** Dominant share of the GPUs of one class, 0 to 1, not weighted. */
  readonly share: number;
  /** What fairness compares: dominant share with decayed past usage, by weight. Lower goes first. */
  readonly weightedShare: number;
  readonly budgetLeftGpuSeconds: number | undefined;
  /** Expected GPU time of shards that are running or were assigned, not yet used. */
  readonly reservedGpuSeconds: number;
}
