import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import { ShardProgress } from "#crds/runner-report.ts";
import * as z from "zod";
import { RUNNER_CONTAINER } from "../reconcile/desired-job.ts";
import { RawPodStatus, readEvidence, stateOf, verdictIn } from "../reconcile/failures/read-evidence.ts";
import type { ObservedPod } from "../reconcile/observed.ts";

/** A runner pod as the caches keep it. */
export interface RunnerPod extends ObservedPod {
  readonly namespace: string;
  readonly opalJob: string;
  /** GpuPool and OpalQueue that it counts against. */
  readonly pool: string;
  readonly queue: string;
  /** The Job that made it. */
  readonly childUid: string;
}

const INDEX = "batch.kubernetes.io/job-completion-index";

const RawPod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.object({ [LABELS.job]: z.string(), [LABELS.pool]: z.string(), [LABELS.queue]: z.string() }),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ uid: z.string(), controller: z.boolean().optional() })).default([]),
  }),
  spec: z.object({ nodeName: z.string().optional() }).default({}),
  status: RawPodStatus.prefault({}),
});
/** @throws {z.ZodError} when it is not a pod of a child Job. What a runner wrote is read leniently. */
export function parseRunnerPod(raw: unknown): RunnerPod {
  const { metadata, spec, status } = RawPod.parse(raw);
  return {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    opalJob: metadata.labels[LABELS.job],
    pool: metadata.labels[LABELS.pool],
    queue: metadata.labels[LABELS.queue],
    childUid: metadata.ownerReferences.find((owner) => owner.controller)?.uid ?? "",
    shard: Number(metadata.annotations[INDEX] ?? -1),
    phase: phaseOf(status),
    createdAtMs: Date.parse(metadata.creationTimestamp),
    isGone: false,
    isDeleting: metadata.deletionTimestamp !== undefined,
    nodeName: spec.nodeName,
    scheduledAtMs: scheduledAtMs(status),
    progress: progressIn(metadata.annotations[ANNOTATIONS.progress]),
    ...readEvidence(status, RUNNER_CONTAINER),
    ...containerFacts(status),
  };
}

function containerFacts(status: RawPodStatus) {
  const { running, terminated } = stateOf(status, RUNNER_CONTAINER);
  return {
    startedAtMs: milliseconds(terminated?.startedAt ?? running?.startedAt),
    finishedAtMs: milliseconds(terminated?.finishedAt) ?? lastSignOfLifeMs(status),
    ...(terminated && { verdict: verdictIn(terminated.message) }),
  };
}

/** A pod that has ended without its container's word for it, because its node is lost: when that was noticed. */
function lastSignOfLifeMs({ phase, conditions }: RawPodStatus): number | undefined {
  if (phase !== "Failed" && phase !== "Succeeded") return undefined;
  const times = conditions.flatMap(({ lastTransitionTime }) => milliseconds(lastTransitionTime) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function scheduledAtMs({ conditions }: RawPodStatus): number | undefined {
  const scheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "True");
  return milliseconds(scheduled?.lastTransitionTime);
}

function phaseOf({ phase }: RawPodStatus): ObservedPod["phase"] {
  if (phase === "Running" || phase === "Succeeded" || phase === "Failed") return phase;
  return "Pending";
}

function milliseconds(time: string | null | undefined): number | undefined {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function progressIn(text: string | undefined): ShardProgress | undefined {
  if (text === undefined) return undefined;
  try {
    return ShardProgress.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
