/** What pods that have ended tell of their pool's speed: of a shared pod, each member's turn by itself. */
import type { OpalJob } from "#crds/opaljob.ts";
import { type Stage, STAGES } from "#crds/stages.ts";
import { stageWork, workloadOf } from "../reconcile/job-state.ts";
import type { Measurement, StageMeasurement } from "../reconcile/learn-speed.ts";
import type { ObservedPod } from "../reconcile/observed.ts";
import { slotsOf } from "../reconcile/shared-child.ts";
import { ownPart, rangesOf } from "../reconcile/turns.ts";
import type { Caches } from "./caches.ts";
import type { RunnerPod } from "./runner-pod.ts";

export function measured(pod: RunnerPod, { opalJobs, childJobs }: Caches): Measurement[] {
  const [child] = childJobs.by("uid", pod.childUid);
  const jobNamed = (name: string) => opalJobs.get(`${pod.namespace}/${name}`);
  const members = child?.members;
  if (!members) {
    const job = jobNamed(pod.opalJob);
    return measurement(pod, pod, job).map((one) => ({ ...one, stages: stagesMeasured(pod, [job]) }));
  }
  const jobs = members.map(({ name, uid }) => {
    const job = jobNamed(name);
    return job?.metadata.uid === uid ? job : undefined;
  });
  return members
    .flatMap((member, at) => measurement(pod, ownPart(pod, member, slotsOf(members)), jobs[at]))
    .map((one, at) => (at === 0 ? { ...one, stages: stagesMeasured(pod, jobs) } : one));
}

function measurement(pod: ObservedPod, part: ObservedPod, job: OpalJob | undefined): Measurement[] {
  const { startedAtMs, finishedAtMs, verdict } = part;
  if (!job || !pod.verdict || !verdict || startedAtMs === undefined || finishedAtMs === undefined) return [];
  // Whoever began the pod waited for the models.
  const coldSeconds = startedAtMs === pod.startedAtMs ? pod.verdict.coldStartSeconds : 0;
  const seconds = (finishedAtMs - startedAtMs) / 1000 - coldSeconds;
  if (seconds <= 0) return [];
  const images = rangesOf(verdict.done).length;
  const endMs = pod.finishedAtMs ?? finishedAtMs;
  return [{ workload: workloadOf(job.spec), images, seconds, stages: [], finishedAtMs: endMs }];
}

/** The pod tells of a stage as a whole: that means something when all its jobs want the same of it. */
function stagesMeasured(
  { verdict }: ObservedPod,
  jobs: readonly (OpalJob | undefined)[],
): StageMeasurement[] {
  return STAGES.flatMap((stage) => {
    const time = verdict?.stageTimes?.[stage];
    const wanted = new Set(jobs.map((job) => job && wantedOf(stage, job)));
    wanted.delete("");
    const [name, ...others] = wanted;
    return time && name !== undefined && others.length === 0 ? [{ stage: name, ...time }] : [];
  });
}

/** Empty when the job has no such stage. */
function wantedOf(stage: Stage, { spec }: OpalJob): string {
  return spec.stages.includes(stage) ? stageWork(stage, spec.brand) : "";
}
