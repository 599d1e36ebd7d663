/**
 * What stands still and does not say why: a child whose pods are not created, a pod on a node that does not start.
 * Kubernetes tells the reason by events only. Here is decided whose events are worth reading, and what they mean.
 */
import { isFinished } from "#crds/conditions.ts";
import type { FailureClass } from "#crds/failure.ts";
import type { JobSight, ObservedChild, ObservedPod } from "../observed.ts";
import { livePodsOf } from "../usage.ts";
import type { PodEvent } from "./evidence.ts";
import { classIn, EVENT_PHRASES } from "./phrases.ts";
import { inPlainWords } from "./plain-words.ts";

export interface Standstill {
  readonly kind: "pods-missing" | "pod-not-starting";
  /** Of the Job or the pod whose events tell why. */
  readonly uid: string;
  readonly name: string;
  readonly sinceMs: number;
}

export interface TimedEvent extends PodEvent {
  /** When it happened last. */
  readonly lastSeenMs: number;
}

/** What keeps a job from going on, as events tell it. */
export interface Hindrance {
  readonly kind: Standstill["kind"];
  readonly uid: string;
  readonly class: FailureClass;
  /** What is the matter and what would mend it, in a sentence or two. */
  readonly message: string;
}

/** Whatever of the job stands still now, however short a time; at most one of each kind. */
export function standstillsOf({
  job,
  deletedAtMs,
  children,
}: Pick<JobSight, "job" | "deletedAtMs" | "children">): Standstill[] {
  const child = whoseEventsItReads(children.at(-1));
  if (!child || deletedAtMs !== undefined || isFinished(job.status.conditions ?? [])) return [];
  return [podsMissing(child), podNotStarting(child)].filter((one) => one !== undefined);
}

/** A shared child's driver reads for all, and of the pods as they are: who waits for its turn does not stand still. */
function whoseEventsItReads(child: ObservedChild | undefined): ObservedChild | undefined {
  if (!child?.shared) return child;
  return child.shared.isDriver ? { ...child, pods: child.shared.pods } : undefined;
}

/** Fewer pods than GPUs. Counted from the last time that a pod of it was created or ended. */
function podsMissing(child: ObservedChild): Standstill | undefined {
  if (child.isEnded || child.isDeleting || child.isSuspended) return undefined;
  const shards = Math.ceil(child.items.length / child.shardSize);
  const openShards = shards - child.succeededShards.size - child.failedShards.size;
  if (livePodsOf(child).length >= Math.min(child.parallelism, openShards)) return undefined;
  const times = child.pods.map((pod) => pod.finishedAtMs ?? pod.createdAtMs);
  const sinceMs = Math.max(child.createdAtMs, ...times);
  return { kind: "pods-missing", uid: child.uid, name: child.name, sinceMs };
}

/** The one that has been at it longest. What the pod says of itself needs no events. */
function podNotStarting(child: ObservedChild): Standstill | undefined {
  const [first] = livePodsOf(child)
    .filter(isSilent)
    .map(({ uid, name, scheduledAtMs = 0 }) => ({ uid, name, sinceMs: scheduledAtMs }))
    .sort((a, b) => a.sinceMs - b.sinceMs);
  return first && { kind: "pod-not-starting", ...first };
}

function isSilent(pod: ObservedPod): boolean {
  const isStarting = pod.phase === "Pending" && pod.scheduledAtMs !== undefined;
  const isExplained =
    pod.isDeleting === true || pod.waitingReason !== undefined || pod.unreachableSinceMs !== undefined;
  return isStarting && !isExplained;
}

const TELLING: Readonly<Record<Standstill["kind"], ReadonlySet<string>>> = {
  "pods-missing": new Set(["FailedCreate"]),
  "pod-not-starting": new Set(["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"]),
};

/** Kubernetes gives some times in whole seconds. */
const ROUNDING_MS = 1000;
/** What goes on is told again: the Job controller tries each minute, and repeats an event at least every five. */
const MAX_AGE_MS = 600_000;

/** Undefined when no event tells of it; one from before it began is of something else. */
export function hindranceOf(
  standstill: Standstill,
  events: readonly TimedEvent[],
  nowMs: number,
): Hindrance | undefined {
  const { kind, uid, name, sinceMs } = standstill;
  const earliestMs = Math.max(sinceMs - ROUNDING_MS, nowMs - MAX_AGE_MS);
  const [newest] = events
    .filter(({ reason, lastSeenMs }) => TELLING[kind].has(reason) && lastSeenMs >= earliestMs)
    .sort((a, b) => b.lastSeenMs - a.lastSeenMs);
  if (!newest) return undefined;
  const told = classIn(EVENT_PHRASES[newest.reason], newest.message) ?? "unknown";
  return { kind, uid, class: told, message: inPlainWords(newest, name) };
}
