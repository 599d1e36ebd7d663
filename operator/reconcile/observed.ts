/**
 * What a pass sees of one OpalJob: one readonly value, and all that the rules may know. Times are milliseconds
 * since 1970. Everything comes from the cluster except where it says "remembered".
 */
import type { OpalJob } from "#crds/opaljob.ts";
import type { ShardProgress, ShardVerdict } from "#crds/runner-report.ts";
import type { Placement } from "../schedule/schedule.ts";

export interface ObservedPod {
  readonly uid: string;
  readonly name: string;
  readonly shard: number;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly createdAtMs: number;
  readonly startedAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
  /** Deleted already, remembered since; its last state still counts. */
  readonly isGone: boolean;
  readonly exitCode?: number | undefined;
  /** Kubernetes' word for the end of the container, OOMKilled for example. */
  readonly endReason?: string | undefined;
  /** Ended by an eviction, a preemption or the like: not its own fault. */
  readonly isDisrupted: boolean;
  /** Why the container does not start, ImagePullBackOff for example. */
  readonly waitingReason?: string | undefined;
  readonly verdict?: ShardVerdict | undefined;
  readonly progress?: ShardProgress | undefined;
  /** The termination message when it is no verdict. */
  readonly lastWords?: string | undefined;
}

/** One attempt's Indexed Job with its pods. */
export interface ObservedChild {
  readonly uid: string;
  readonly name: string;
  /** From its label, counted from 1. */
  readonly attempt: number;
  /** Indexes of the OpalJob's items that it holds, ascending. */
  readonly items: readonly number[];
  readonly shardSize: number;
  readonly parallelism: number;
  readonly isDeleting: boolean;
  readonly hasManifest: boolean;
  /** The Job controller has ended it, for good or bad. */
  readonly isEnded: boolean;
  /** Shards that the Job controller counts as succeeded, and as failed beyond their back-off. */
  readonly succeededShards: ReadonlySet<number>;
  readonly failedShards: ReadonlySet<number>;
  readonly pods: readonly ObservedPod[];
}

export interface Usage {
  readonly gpuSeconds: number;
  readonly coldStartSeconds: number;
  readonly wastedGpuSeconds: number;
}

/** The OpalJob with its children; all that does not depend on the other jobs. */
export interface JobSight {
  readonly job: OpalJob;
  readonly createdAtMs: number;
  readonly deletedAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  /** By attempt, ascending. */
  readonly children: readonly ObservedChild[];
  /** Remembered: usage of pods that were gone before this process saw them, from the last status. */
  readonly carried: Usage;
}

export interface Observed extends JobSight {
  /** What the plan gives this job; undefined when the plan does not know it (finished, suspended, deleted). */
  readonly placement: Placement | undefined;
  /** Remembered: when this process last wrote the status. */
  readonly statusWrittenAtMs: number | undefined;
}
