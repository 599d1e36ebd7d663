import type { OpalJob } from "#crds/opaljob.ts";
import type { Action } from "../reconcile/decision.ts";
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
      return port.createConfigMap(desiredConfigMap(job, action.attempt, child));
    }
    case "restore-config-map": {
      const { attempt: number, items, shardSize } = action.child;
      return port.createConfigMap(desiredConfigMap(job, { number, items, shardSize }, action.child));
    }
    case "resize":
      return port.resizeJob({ ...action.child, namespace }, action.parallelism);
    case "stop":
      return port.deleteJob({ ...action.child, namespace });
    case "delete-opaljob":
      return port.deleteOpalJob(job);
    default:
      return action satisfies never;
  }
}

/** GPUs that the job will hold once the action is done; undefined when it takes no more than it has. */
export function gpusTaken(action: Action): number | undefined {
  if (action.do === "launch") return action.manifest.spec.parallelism;
  return action.do === "resize" && action.parallelism > 0 ? action.parallelism : undefined;
}
