/**
 * The conditions of the custom resources and every reason that they can carry. Reasons are the machine-readable part of
 * the contract: renaming one breaks somebody's alert.
 */

export const CONDITION_TYPES = ["Queued", "Admitted", "Running", "Complete", "Failed", "Suspended"] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

export const REASONS = {
  /** Queued=True: no GPU is free in the pool. */
  WaitingForGpus: "WaitingForGpus",
  /** Queued=True: an earlier job stands before this one. */
  BehindOthers: "BehindOthers",
  /** Queued=True: the queue has used up what it may have of the GPU classes that the job can use. */
  QuotaExhausted: "QuotaExhausted",
  /** Queued=True: the queue's budget for this window is used up or promised. */
  QueueBudgetExhausted: "QueueBudgetExhausted",
  /** Queued=True: what is left of the job's own budget does not pay for another shard. */
  JobBudgetTooSmall: "JobBudgetTooSmall",
  /** Queued=True: every pool that fits gets no nodes just now; they are tried again later. */
  PoolsStockedOut: "PoolsStockedOut",
  /** Queued=True: there is neither the queue that the job names, nor one of its tenant's name, nor `default`. */
  NoSuchQueue: "NoSuchQueue",
  /** Queued=True: Kueue has not admitted the job's child yet. */
  WaitingForKueue: "WaitingForKueue",
  /** Queued=True: no pool has the class or the VRAM that the job asks for. */
  NoMatchingPool: "NoMatchingPool",
  /** Queued=False: the job holds GPUs, or is finished or suspended. */
  NotWaiting: "NotWaiting",
  /** Admitted=True: GPUs are assigned and the child exists. */
  GpusAssigned: "GpusAssigned",
  /** Admitted=False: none are. */
  NoGpusAssigned: "NoGpusAssigned",
  /** Running=True: at least one pod of the job runs. */
  PodsRunning: "PodsRunning",
  /** Running=False: pods are created but none has started yet. */
  PodsStarting: "PodsStarting",
  /** Running=False: a ResourceQuota of the namespace has no room for the job's pods; it goes on once it has. */
  NamespaceQuotaExhausted: "NamespaceQuotaExhausted",
  /** Running=False: Kubernetes refuses to create the job's pods; the message says why. */
  PodsRefused: "PodsRefused",
  /** Running=False: a pod has a node and cannot start there: a volume is not mounted, say. */
  PodsHindered: "PodsHindered",
  /** Running=False: the job has no pods. */
  NoPods: "NoPods",
  /** Complete=True: every item is done. */
  AllItemsDone: "AllItemsDone",
  /** Complete=True: every item has a verdict, and some of them failed. */
  SomeItemsFailed: "SomeItemsFailed",
  /** Failed=True: every item failed. */
  AllItemsFailed: "AllItemsFailed",
  /** Failed=True: pods crashed more often than `retry.infrastructure` allows. */
  RetriesExhausted: "RetriesExhausted",
  /** Failed=True: `budget.gpuSeconds` is used up. */
  BudgetExhausted: "BudgetExhausted",
  /** Failed=True: the runner refused its settings or models; a retry cannot help. */
  RunnerMisconfigured: "RunnerMisconfigured",
  /** Queued=False: this operator cannot read the OpalJob; it waits for one that can. */
  InvalidSpec: "InvalidSpec",
  /** Suspended=True: `spec.suspend` is set. */
  SuspendedByUser: "SuspendedByUser",
  /** Suspended=False. */
  NotSuspended: "NotSuspended",
} as const;
export type Reason = (typeof REASONS)[keyof typeof REASONS];

/** Conditions of a GpuPool. */
export const POOL_CONDITION_TYPES = ["Available"] as const;
export const POOL_REASONS = {
  /** Available=True: jobs are placed on it. */
  AcceptingJobs: "AcceptingJobs",
  /** Available=False: a pod waited longer than `startTimeoutSeconds` for a node; tried again after a while. */
  StockedOut: "StockedOut",
  /** Available=False: `maxGpus` is 0. */
  Closed: "Closed",
} as const;

/** Conditions of an OpalQueue. */
export const QUEUE_CONDITION_TYPES = ["Active"] as const;
export const QUEUE_REASONS = {
  /** Active=True: its jobs are scheduled. */
  AcceptingJobs: "AcceptingJobs",
  /** Active=False: the budget of this window is used up or promised; what runs goes on. */
  BudgetExhausted: "BudgetExhausted",
} as const;

interface ConditionLike {
  readonly type: string;
  readonly status: string;
}

export const PHASES = [
  "Pending",
  "Invalid",
  "Queued",
  "Starting",
  "Running",
  "Suspended",
  "Complete",
  "Failed",
] as const;
export type Phase = (typeof PHASES)[number];

/** One word for people, from the conditions. Nothing may branch on it. */
export function phaseOf(conditions: readonly ConditionLike[]): Phase {
  const is = (type: ConditionType) => conditions.some((c) => c.type === type && c.status === "True");
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (is("Suspended")) return "Suspended";
  if (is("Running")) return "Running";
  if (is("Admitted")) return "Starting";
  if (is("Queued")) return "Queued";
  return "Pending";
}

/** True when the job has its final verdict: nothing will change any more. */
export function isFinished(conditions: readonly ConditionLike[]): boolean {
  return conditions.some((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True");
}
