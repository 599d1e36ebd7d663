/**
 * Everything that the operator writes to the cluster, by name. The real one is kubernetes-port.ts; the fake
 * one, in testing.ts, passes the same contract suite and can be made to die at any of these points.
 */
import type { GpuPool, GpuPoolStatus } from "#crds/gpupool.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { OpalQueue, OpalQueueStatus } from "#crds/opalqueue.ts";
import type { ConfigMapManifest } from "../reconcile/manifest.ts";
import type { JobManifest } from "../reconcile/desired-job.ts";
import type { UnreadableOpalJob } from "../reconcile/unreadable.ts";

export const WRITE_POINTS = [
  "createJob",
  "createConfigMap",
  "resizeJob",
  "deleteJob",
  "failPod",
  "deletePod",
  "writeStatus",
  "deleteOpalJob",
  "writePoolStatus",
  "writeQueueStatus",
] as const;
export type WritePoint = (typeof WRITE_POINTS)[number];

export interface ChildRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * Every write may be repeated: a create that finds its object returns it, a delete that finds nothing is
 * content.
 *
 * All throw {StaleError} when the object is not the one that was seen.
 */
export interface ClusterPort {
  /** Creates the child; when one of that name and first owner exists, that one counts. */
  createJob(manifest: JobManifest): Promise<ChildRef>;
  createConfigMap(manifest: ConfigMapManifest): Promise<void>;
  resizeJob(child: ChildRef, parallelism: number): Promise<void>;
  deleteJob(child: ChildRef): Promise<void>;
  /** Says that a pod has ended, in the place of its kubelet; content when it is gone or has ended. */
  failPod(pod: ChildRef, end: PodEnd): Promise<void>;
  /** A pod that has ended is gone at once, even when its kubelet does not answer. */
  deletePod(pod: ChildRef): Promise<void>;
  /** Makes this the status of exactly this version of the OpalJob. */
  writeStatus(job: OpalJob | UnreadableOpalJob, status: object): Promise<void>;
  deleteOpalJob(job: OpalJob): Promise<void>;
  /** Of exactly the version that was seen, as `writeStatus` does. */
  writePoolStatus(pool: GpuPool, status: GpuPoolStatus): Promise<void>;
  writeQueueStatus(queue: OpalQueue, status: OpalQueueStatus): Promise<void>;
}

export interface PodEnd {
  readonly reason: string;
  readonly message: string;
  /** Reason of the condition DisruptionTarget: Kubernetes counts no crash then. */
  readonly disruption: string;
  readonly at: string;
}
