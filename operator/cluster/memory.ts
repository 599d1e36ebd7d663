import type { Remembered, Usage } from "../reconcile/observed.ts";
import { addUsage } from "../reconcile/usage.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import type { RemembersEvents } from "./event-reader.ts";
import type { RunnerPod } from "./runner-pod.ts";

/**
 * What this process remembers and the cluster does not: pods that are gone, and when it wrote what. Losing it
 * harms nothing: verdicts are found again by the next attempt, and usage goes on from the last status.
 */
export interface Memory {
  /** A pod was deleted; its last state goes on counting as long as its Job exists. */
  rememberPod(pod: RunnerPod, nowMs: number): void;
  podsOf(childUid: string): readonly RunnerPod[];
  forgetChild(childUid: string): void;
  /** A child is gone; what its pods have used for this job stays used. */
  carry(jobUid: string, usage: Usage): void;
  readonly jobs: Map<string, JobMemory>;
  /** Which queue had a GPU from when to when. */
  readonly ledger: Ledger;
}

export interface JobMemory extends RemembersEvents {
  /** Usage that the status had stated before this process saw the job, and that no pod accounts for. */
  carried: Usage | undefined;
  remembered: Remembered;
}

export function createMemory(): Memory {
  const podsByChild = new Map<string, RunnerPod[]>();
  const jobs = new Map<string, JobMemory>();
  return {
    rememberPod(pod, nowMs) {
      const { startedAtMs } = pod;
      const gone: RunnerPod = {
        ...pod,
        isGone: true,
        ...(startedAtMs !== undefined && { finishedAtMs: pod.finishedAtMs ?? nowMs }),
      };
      podsByChild.set(pod.childUid, [...(podsByChild.get(pod.childUid) ?? []), gone]);
    },
    podsOf: (childUid) => podsByChild.get(childUid) ?? [],
    forgetChild: (childUid) => podsByChild.delete(childUid),
    carry(jobUid, usage) {
      const job = jobs.get(jobUid);
      if (job?.carried) job.carried = addUsage(job.carried, usage);
    },
    jobs,
    ledger: createLedger(),
  };
}
