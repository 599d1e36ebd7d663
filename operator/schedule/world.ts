/**
 * All that the scheduler may know, as plain JSON values: pools, queues and jobs as they are in the cluster now.
 * A plan is a function of this and of the time, so a restarted operator that reads the same cluster plans the
 * same, and a recorded world can be planned again anywhere. Times are milliseconds since 1970.
 */
export interface World {
  readonly pools: readonly PoolState[];
  readonly queues: readonly QueueState[];
  /** Every job that waits or holds GPUs; no finished, suspended or deleted ones. */
  readonly jobs: readonly JobState[];
  readonly settings: ScheduleSettings;
}

export interface ScheduleSettings {
  /** Past usage counts half as much after so long. */
  readonly usageHalfLifeSeconds: number;
  /** A job is not preempted before it has held its GPUs so long. */
  readonly minRunSeconds: number;
  /** What a pod that starts spends before its first picture: loading models. The price of every move. */
  readonly reloadSeconds: number;
  /** A job that has waited so long for its turn is passed by nobody any more. */
  readonly backfillPatienceSeconds: number;
  /** Assumed of a workload that no pool has measured yet. */
  readonly assumedSecondsPerImage: number;
}

export const DEFAULT_SETTINGS: ScheduleSettings = {
  usageHalfLifeSeconds: 3600,
  minRunSeconds: 60,
  reloadSeconds: 20,
  backfillPatienceSeconds: 600,
  assumedSecondsPerImage: 10,
};

export interface PoolState {
  /** Unique. */
  readonly name: string;
  readonly gpuClass: string;
  readonly vramGiB: number;
  readonly maxGpus: number;
  readonly spot: boolean;
  /** In whatever currency all pools share. */
  readonly pricePerGpuHour: number;
  readonly startTimeoutSeconds: number;
  readonly stockOutCooldownSeconds: number;
  /** As the last plan gave it (`PoolPlan.stockOut`), kept in the pool's status. */
  readonly stockOut?: StockOutMemory | undefined;
  /** GPUs taken by live pods of jobs that are not in `World.jobs`: suspended, finished or deleted ones. */
  readonly strayGpus: number;
  /** Learned seconds of one GPU for one picture, by `JobState.workload`, and by the stages of which that is made. */
  readonly secondsPerImage: Readonly<Record<string, Speed>>;
}

export interface Speed {
  readonly p50: number;
  /** At least p50. */
  readonly p90: number;
}

/** What is remembered of a pool's stock-outs: each weighs 1 when it happens and fades. */
export interface StockOutMemory {
  readonly lastAtMs: number;
  /** The weights' sum at `lastAtMs`; 1 for a first stock-out. */
  readonly strength: number;
}

export interface QueueState {
  /** Unique. */
  readonly name: string;
  /** Queues of one cohort lend each other what they do not use. */
  readonly cohort?: string | undefined;
  /** Above 0. Twice the weight, twice the share. */
  readonly weight: number;
  /** Empty: no quota, the pools alone limit the queue. Else a class that is not listed cannot be used. */
  readonly quotas: readonly Quota[];
  readonly budget?: QueueBudget | undefined;
  /** Jobs that may hold GPUs at once. */
  readonly maxJobs?: number | undefined;
  /** Finished and running pods' GPU time, decayed to `atMs` (`usage.ts` adds to it), by GPU class. */
  readonly usage: readonly ClassUsage[];
}

export interface Quota {
  readonly gpuClass: string;
  /** GPUs that the queue may always claim. */
  readonly nominal: number;
  /** GPUs that it may use beyond that while its cohort does not; without it, any number. */
  readonly borrowingLimit?: number | undefined;
  /** GPUs of the nominal ones that the cohort may borrow; without it, all. */
  readonly lendingLimit?: number | undefined;
}

/** Windows follow one another from 1970 on, so a window of a day begins at midnight UTC. */
export interface QueueBudget {
  readonly windowSeconds: number;
  readonly gpuSeconds: number;
  /** The window that `usedGpuSeconds` was measured in; in a later one nothing is used yet. */
  readonly windowStartMs: number;
  /** GPU time in that window so far, of finished and of running pods. */
  readonly usedGpuSeconds: number;
}

export interface ClassUsage {
  readonly gpuClass: string;
  readonly gpuSeconds: number;
  readonly atMs: number;
}

export interface JobState {
  /** Unique; breaks every tie. */
  readonly uid: string;
  /** `<namespace>/<name>`, for people. */
  readonly key: string;
  readonly tenant: string;
  /** The queue that serves it, already resolved: spec.queue, else the tenant's own, else `default`. */
  readonly queue: string;
  readonly priority: number;
  readonly deadlineMs?: number | undefined;
  readonly createdAtMs: number;
  /** Acceptable GPU classes; empty means any. */
  readonly classes: readonly string[];
  readonly minVramGiB: number;
  readonly minGpus: number;
  readonly maxGpus: number;
  /** What is done with its pictures (`workload.ts`), as the key of learned speeds. */
  readonly workload: string;
  /** Pictures and shards that are not finished, those being worked on included. More GPUs than shards are of no use. */
  readonly openImages: number;
  readonly openShards: number;
  readonly budgetGpuSeconds?: number | undefined;
  /** GPU time so far, of finished and of running pods. */
  readonly usedGpuSeconds: number;
  readonly holding?: Holding | undefined;
  /** GPUs by pool of its live pods that are not part of `holding`: ending after a shrink, a stop or a move. */
  readonly endingGpus: Readonly<Record<string, number>>;
}

/** GPUs assigned to a job: of the pool that its attempt is made for, as many as the child's parallelism says. */
export interface Holding {
  readonly pool: string;
  /** At least 1. */
  readonly gpus: number;
  /** Since when it holds GPUs of this pool without a break. */
  readonly sinceMs: number;
  /** Pods that run on a node: at most `gpus`. */
  readonly startedGpus: number;
  /** Since when its oldest pod without a node waits for one. */
  readonly nodelessSinceMs?: number | undefined;
  /** GPU time of the running pods so far, of their present shards. */
  readonly shardGpuSeconds: number;
  /** Of it, what would be lost if all of them stopped now: since each one's last finished stage. */
  readonly unsavedGpuSeconds: number;
}
