/**
 * When pods began and ended to run, by their own times, because a status may be written some time after. Kubernetes
 * gives those in whole seconds, so they are kept within what is known better: not before GPUs were assigned, nor
 * after now. All times are milliseconds since 1970.
 */
import type { ConditionType } from "#crds/conditions.ts";
import type { Condition } from "#crds/opaljob.ts";
import { fromTimestamp } from "#crds/timestamp.ts";
import type { ActiveChild } from "./assess.ts";
import type { JobSight } from "./observed.ts";
import { runningPods } from "./usage.ts";

type RunSight = Pick<JobSight, "job" | "children" | "createdAtMs">;

/** When the first pod of the job started; undefined before. */
export function firstStartMs(seen: RunSight, nowMs: number): number | undefined {
  const starts = podsOf(seen).flatMap(({ startedAtMs }) => startedAtMs ?? []);
  return starts.length === 0 ? undefined : within(Math.min(...starts), assignedAtMs(seen), nowMs);
}

/** When `Running`, which is true now, came true; its having been false need never have been written. */
export function runsSinceMs(seen: RunSight, nowMs: number): number {
  const before = conditionOf(seen, "Running");
  const beforeMs = before ? fromTimestamp(before.lastTransitionTime) : 0;
  if (before?.status === "True") return beforeMs;
  return within(startOfRunning(seen) ?? nowMs, Math.max(beforeMs, assignedAtMs(seen)), nowMs);
}

/** When `Running`, which is false now, came false; its having been true need never have been written. */
export function restsSinceMs(seen: RunSight, nowMs: number): number {
  const before = conditionOf(seen, "Running");
  if (!before) return lastEndMs(seen, nowMs) ?? nowMs;
  const beforeMs = fromTimestamp(before.lastTransitionTime);
  const unlessSeenMs = before.status === "True" ? nowMs : beforeMs;
  return within(lastEndMs(seen, nowMs) ?? unlessSeenMs, beforeMs, nowMs);
}

/** Since when a job that has GPUs and did not state any has them: its attempt's launch, unless that was stated. */
export function heldSinceMs(seen: RunSight, { child }: Pick<ActiveChild, "child">, nowMs: number): number {
  if (child.attempt <= (seen.job.status.attempts ?? 0)) return nowMs;
  const before = conditionOf(seen, "Admitted");
  return within(
    child.createdAtMs,
    before ? fromTimestamp(before.lastTransitionTime) : seen.createdAtMs,
    nowMs,
  );
}

function startOfRunning(seen: RunSight): number | undefined {
  const starts = runningPods(seen).flatMap(({ startedAtMs }) => startedAtMs ?? []);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Pods that are being ended, by the job's own end say, end now. */
function lastEndMs(seen: RunSight, nowMs: number): number | undefined {
  const started = podsOf(seen).filter(({ startedAtMs }) => startedAtMs !== undefined);
  return started.length === 0 ? undefined : Math.max(...started.map((pod) => pod.finishedAtMs ?? nowMs));
}

function assignedAtMs(seen: RunSight): number {
  const admitted = conditionOf(seen, "Admitted");
  return admitted?.status === "True" ? fromTimestamp(admitted.lastTransitionTime) : seen.createdAtMs;
}

function conditionOf({ job }: RunSight, type: ConditionType): Condition | undefined {
  return job.status.conditions?.find((condition) => condition.type === type);
}

function podsOf({ children }: RunSight) {
  return children.flatMap(({ pods }) => pods);
}

function within(timeMs: number, earliestMs: number, latestMs: number): number {
  return Math.max(Math.min(timeMs, latestMs), earliestMs);
}
