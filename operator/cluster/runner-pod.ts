import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import { ShardProgress, ShardVerdict } from "#crds/runner-report.ts";
import * as z from "zod";
import { RUNNER_CONTAINER } from "../reconcile/desired-job.ts";
import type { ObservedPod } from "../reconcile/observed.ts";

/** A runner pod as the caches keep it. */
export interface RunnerPod extends ObservedPod {
  readonly namespace: string;
  readonly opalJob: string;
  /** The Job that made it. */
  readonly childUid: string;
}

const INDEX = "batch.kubernetes.io/job-completion-index";

const Terminated = z.object({
  exitCode: z.number(),
  reason: z.string().optional(),
  message: z.string().optional(),
  startedAt: z.string().nullish(),
  finishedAt: z.string().nullish(),
});

const ContainerState = z.object({
  waiting: z.object({ reason: z.string().optional() }).optional(),
  running: z.object({ startedAt: z.string().nullish() }).optional(),
  terminated: Terminated.optional(),
});

const RawPod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    creationTimestamp: z.string(),
    labels: z.object({ [LABELS.job]: z.string() }),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ uid: z.string(), controller: z.boolean().optional() })).default([]),
  }),
  status: z
    .object({
      phase: z.string().default("Pending"),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string().optional() }))
        .default([]),
      containerStatuses: z
        .array(z.object({ name: z.string(), state: ContainerState.default({}) }))
        .default([]),
    })
    .prefault({}),
});
type RawPod = z.infer<typeof RawPod>;

/** @throws {z.ZodError} when it is not a pod of a child Job. What a runner wrote is read leniently. */
export function parseRunnerPod(raw: unknown): RunnerPod {
  const { metadata, status } = RawPod.parse(raw);
  return {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    opalJob: metadata.labels[LABELS.job],
    childUid: metadata.ownerReferences.find((owner) => owner.controller)?.uid ?? "",
    shard: Number(metadata.annotations[INDEX] ?? -1),
    phase: phaseOf(status),
    createdAtMs: Date.parse(metadata.creationTimestamp),
    isGone: false,
    isDisrupted: status.conditions.some((c) => c.type === "DisruptionTarget" && c.status === "True"),
    progress: fromJson(ShardProgress, metadata.annotations[ANNOTATIONS.progress]),
    ...containerFacts(status),
  };
}

function containerFacts(status: RawPod["status"]) {
  const container = status.containerStatuses.find(({ name }) => name === RUNNER_CONTAINER);
  const { waiting, running, terminated } = container?.state ?? {};
  return {
    startedAtMs: milliseconds(terminated?.startedAt ?? running?.startedAt),
    waitingReason: waiting?.reason === "ContainerCreating" ? undefined : waiting?.reason,
    ...(terminated && endFacts(terminated)),
  };
}

function endFacts({ finishedAt, exitCode, reason, message }: z.infer<typeof Terminated>) {
  const verdict = fromJson(ShardVerdict, message);
  return {
    finishedAtMs: milliseconds(finishedAt),
    exitCode,
    endReason: reason,
    verdict,
    lastWords: verdict ? undefined : message?.slice(0, 300),
  };
}

function phaseOf({ phase }: RawPod["status"]): ObservedPod["phase"] {
  if (phase === "Running" || phase === "Succeeded" || phase === "Failed") return phase;
  return "Pending";
}

function milliseconds(time: string | null | undefined): number | undefined {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function fromJson<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
