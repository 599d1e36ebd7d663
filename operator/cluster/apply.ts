import type { OpalJob } from "#crds/opaljob.ts";
import type { Action } from "../reconcile/decision.ts";
import { carriesManifest } from "../reconcile/desired-job.ts";
import { desiredConfigMap } from "../reconcile/manifest.ts";
import type { ClusterPort } from "./port.ts";

/** Carries out a decision's action. Dying at any point of it is harmless: the next pass sees what is missing. */
export async function apply(action: Action, job: OpalJob, port: ClusterPort): Promise<void> {
  const { namespace } = job.metadata;
  switch (action.do) {
    case "nothing":
      return;
    case "launch": {
      const child = await port.createJob(action.manifest);
      if (carriesManifest(action.manifest.spec.template.metadata.annotations)) return;
      return port.createConfigMap(desiredConfigMap(job, action.attempt, child));
    }
    case "restore-config-map": {
      const { attempt: number, items, shardSize, tileScale } = action.child;
      const attempt = { number, items, shardSize, tileScale };
      return port.createConfigMap(desiredConfigMap(job, attempt, action.child));
    }
    case "resize":
      return port.resizeJob({ ...action.child, namespace }, action.parallelism);
    case "stop":
      return port.deleteJob({ ...action.child, namespace });
    case "replace-lost-pod": {
      const pod = { ...action.pod, namespace };
      await port.failPod(pod, { ...LOST, at: new Date(action.atMs).toISOString() });
      return port.deletePod(pod);
    }
    case "replace-stuck-pod":
      return port.deletePod({ ...action.pod, namespace });
    case "delete-opaljob":
      return port.deleteOpalJob(job);
    default:
      return action satisfies never;
  }
}

/**
 * The Job controller replaces a pod once its phase is Failed, never because it is being deleted
 * (`podReplacementPolicy: Failed`), and the condition keeps it from counting as a crash.
 */
const LOST = {
  reason: "NodeLost",
  message: "Its node does not answer.",
  disruption: "DeletionByOpal",
} as const;

/** What the job will hold once the action is done; undefined when it takes no more than it has. */
export function gpusTaken(action: Action): { pool: string; gpus: number } | undefined {
  if (action.do === "launch") return { pool: action.pool, gpus: action.manifest.spec.parallelism };
  if (action.do !== "resize" || action.parallelism === 0) return undefined;
  return { pool: action.child.pool, gpus: action.parallelism };
}
