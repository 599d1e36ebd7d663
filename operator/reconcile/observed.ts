/**
 * What a pass sees of one OpalJob: one readonly value, and all that the rules may know. Times are milliseconds
 * since 1970. Everything comes from the cluster except where it says "remembered".
 */
import type { OpalJob } from "#crds/opaljob.ts";
import type { ShardProgress, ShardVerdict } from "#crds/runner-report.ts";
import type { GpuPool } from "#crds/gpupool.ts";
import type { Admitted, FinishEstimate, Waiting } from "../schedule/plan.ts";
import type { PodEvidence } from "./failures/evidence.ts";
import type { Hindrance } from "./failures/standstill.ts";

export interface ObservedPod extends PodEvidence {
  readonly uid: string;
  readonly name: string;
  readonly shard: number;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly createdAtMs: number;
  readonly startedAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  /** Deleted already, remembered since; its last state still counts. */
  readonly isGone: boolean;
  readonly verdict?: ShardVerdict | undefined;
  readonly progress?: ShardProgress | undefined;
  /** Undefined as long as the scheduler has found none. */
  readonly nodeName?: string | undefined;
  /** When it was given its node. */
  readonly scheduledAtMs?: number | undefined;
  /** Since when its node does not answer; undefined when it does. */
  readonly unreachableSinceMs?: number | undefined;
}

/** One attempt's Indexed Job with its pods. */
export interface ObservedChild {
  readonly uid: string;
  readonly name: string;
  /** From its label, counted from 1. */
  readonly attempt: number;
  /** The GpuPool that it is made for. */
  readonly pool: string;
  /** Of that pool, now; 0 when the pool is gone. */
  readonly pricePerGpuHour: number;
  readonly vramGiB: number;
  /** Since when the Job exists. */
  readonly createdAtMs: number;
  /** Not running by `spec.suspend`: Kueue has not admitted it. */
  readonly isSuspended: boolean;
  /** Indexes of the OpalJob's items that it holds, ascending. */
  readonly items: readonly number[];
  /** Indexes of those that were done before it began. */
  readonly doneBefore: readonly number[];
  readonly shardSize: number;
  /** Side of its tiles, as a part of the model's own. */
  readonly tileScale: number;
  readonly parallelism: number;
  readonly isDeleting: boolean;
  /** Its pods find their manifests: in their annotation, or in a ConfigMap that is there. */
  readonly hasManifest: boolean;
  /** The Job controller has ended it, for good or bad. */
  readonly isEnded: boolean;
  /** Shards that the Job controller counts as succeeded, and as failed beyond their back-off. */
  readonly succeededShards: ReadonlySet<number>;
  readonly failedShards: ReadonlySet<number>;
  readonly pods: readonly ObservedPod[];
  /** Present when several OpalJobs share it: everything else here is this job's part of it then. */
  readonly shared?: SharedFacts | undefined;
}

/** What a member of a shared child must know of the others. */
export interface SharedFacts {
  readonly members: number;
  /** Key of the member that speaks for the child: asks for its GPU, resizes it, sees to its pods. */
  readonly driver: string | undefined;
  readonly isDriver: boolean;
  /** The GPUs of its live pods are counted to this job, and to no other. */
  readonly isAccountant: boolean;
  /** Items of all members without a word. */
  readonly openItems: number;
  /** Shrunk to nothing and without live pods: nobody rides in it any more. */
  readonly isRetired: boolean;
  /** Every member is finished or gone, and it will not end by itself. */
  readonly isAbandoned: boolean;
  /** As they are; `pods` shows of each this job's turn. */
  readonly pods: readonly ObservedPod[];
}

export interface Usage {
  readonly gpuSeconds: number;
  readonly coldStartSeconds: number;
  readonly wastedGpuSeconds: number;
  /** GPU time × the price of its pool. */
  readonly cost: number;
}

/** The OpalJob with its children; all that does not depend on the other jobs. */
export interface JobSight {
  readonly job: OpalJob;
  readonly createdAtMs: number;
  readonly deletedAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  /** The OpalQueue that it belongs to; undefined when there is none for it. */
  readonly queue: string | undefined;
  /** By attempt, ascending. */
  readonly children: readonly ObservedChild[];
  /** Attempts up to this one would meet a child of others by their name; 0 when none would. */
  readonly takenNumber: number;
  /** Remembered: usage of pods that were gone before this process saw them, from the last status. */
  readonly carried: Usage;
}

/** The job's part of the plan. Where Kueue admits there is no estimate. */
export type JobPlacement = Waiting | (Omit<Admitted, "eta"> & { readonly eta?: FinishEstimate | undefined });

/** What this process knows of the job beside the cluster; undefined where it has seen none. */
export interface Remembered {
  /** When it last wrote the status. */
  readonly statusWrittenAtMs: number | undefined;
  /** Since when it has seen GPUs of an attempt that the status does not tell of. */
  readonly launchSeenMs: number | undefined;
  /** Since when it has seen pods run without a break. */
  readonly runningSinceMs: number | undefined;
}

export interface Observed extends JobSight, Remembered {
  /** What the plan gives this job; undefined when the plan does not know it (finished, suspended, deleted). */
  readonly placement: JobPlacement | undefined;
  /** The pool that the plan places it on, as it is now. */
  readonly target: GpuPool | undefined;
  /** What keeps its pods from being created or from starting, as far as events were read. */
  readonly hindrance?: Hindrance | undefined;
}
