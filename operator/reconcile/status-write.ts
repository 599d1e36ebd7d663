import { type ConditionType, REASONS } from "#crds/conditions.ts";
import type { Condition, OpalJobStatus } from "#crds/opaljob.ts";
import type { Remembered } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";

/** Whether to write a status now, when it is the job's turn among all that wait, later, or not at all. */
export type WriteTiming =
  | { readonly write: "now" }
  | { readonly write: "in-turn"; readonly isSoon: boolean }
  | { readonly write: "later"; readonly afterMs: number }
  | { readonly write: "never" };

type Intervals = Pick<
  ReconcileSettings,
  "statusIntervalSeconds" | "backgroundIntervalSeconds" | "settleSeconds"
>;

export interface WriteContext extends Pick<Remembered, "launchSeenMs" | "runningSinceMs"> {
  readonly intervals: Intervals;
  /** Of a job without a status: when it was first looked at. */
  readonly writtenAtMs: number;
  readonly nowMs: number;
}

/**
 * What people and programs wait for (conditions, more GPUs, attempts) is written at once, except that a job has come to
 * wait, that an attempt has been launched and that its pods run: that is written when it has been so for a moment,
 * because what comes next says it too, and because launches and ends must not stand behind what is told of the waiting.
 * Progress is written at most every few seconds, and so is the place of the few at a queue's head, however long the
 * queue is; what changes all the time by itself (usage, the places behind) still less often. And whatever is told of
 * the waiting alone takes turns, because of thousands that wait it would be more than of those that run.
 */
export function timeWrite(before: OpalJobStatus, after: OpalJobStatus, context: WriteContext): WriteTiming {
  const timing = timeAlone(before, after, context);
  if (timing.write !== "now" || !isOfWaiting(before, after)) return timing;
  return { write: "in-turn", isSoon: hasOnlyCome(before, after) || isNearHead(after.queue?.position) };
}

/** As if no other job were written to. */
function timeAlone(
  before: OpalJobStatus,
  after: OpalJobStatus,
  context: WriteContext,
): Exclude<WriteTiming, { write: "in-turn" }> {
  if (isSame(before, after)) return { write: "never" };
  const { statusIntervalSeconds, backgroundIntervalSeconds, settleSeconds } = context.intervals;
  if (isPressing(before, after)) {
    const begunMs = begunAtMs(before, after, context);
    const afterMs = begunMs === undefined ? 0 : begunMs + settleSeconds * 1000 - context.nowMs;
    return afterMs > 0 ? { write: "later", afterMs } : { write: "now" };
  }
  const isProgress = !isSame(progress(before), progress(after));
  const seconds = isProgress ? statusIntervalSeconds : backgroundIntervalSeconds;
  const afterMs = context.writtenAtMs + seconds * 1000 - context.nowMs;
  return afterMs <= 0 ? { write: "now" } : { write: "later", afterMs };
}

function isPressing(before: OpalJobStatus, after: OpalJobStatus): boolean {
  const held = before.assignment?.gpus;
  // Whose turn it is in a shared child is told by Running.
  const isGrowing = held !== 0 && (after.assignment?.gpus ?? 0) > (held ?? 0);
  return (
    isGrowing ||
    !isSame(pressing(before), pressing(betweenShards(before, after) ? asBefore(before, after) : after))
  );
}

/**
 * One shard's pod has ended and the next one's has not started: that lasts a moment, and to write it down would
 * cost two writes a shard.
 */
function betweenShards(before: OpalJobStatus, after: OpalJobStatus): boolean {
  return running(before)?.status === "True" && running(after)?.reason === REASONS.PodsStarting;
}

/** When this process first saw what presses, if that is only that the job waits or that an attempt has begun. */
function begunAtMs(before: OpalJobStatus, after: OpalJobStatus, context: WriteContext): number | undefined {
  if (hasOnlyCome(before, after)) return context.writtenAtMs;
  if (hasOnlyBeenLaunched(before, after)) return context.launchSeenMs ?? context.nowMs;
  return hasOnlyBegunToRun(before, after) ? context.runningSinceMs : undefined;
}

/** Its first status would say that it waits. */
function hasOnlyCome(before: OpalJobStatus, after: OpalJobStatus): boolean {
  return before.observedGeneration === undefined && after.phase === "Queued";
}

/** It has come to wait, or waits on and nothing has happened to it. */
function isOfWaiting(before: OpalJobStatus, after: OpalJobStatus): boolean {
  return (
    (hasOnlyCome(before, after) || hasOnlyWaited(before, after)) && isSame(lasting(before), lasting(after))
  );
}

/** That somebody has changed or suspended it is no waiting. */
function hasOnlyWaited(before: OpalJobStatus, after: OpalJobStatus): boolean {
  return (
    before.phase === "Queued" &&
    after.phase === "Queued" &&
    before.observedGeneration === after.observedGeneration &&
    before.attempts === after.attempts &&
    isSame(before.items, after.items)
  );
}

/** From no GPUs to those of a new attempt, whose pods may run already; a status may never have been written. */
function hasOnlyBeenLaunched(before: OpalJobStatus, after: OpalJobStatus): boolean {
  const isLaunch = (after.attempts ?? 0) > (before.attempts ?? 0);
  const isFirstSight = before.observedGeneration === undefined;
  return (
    isLaunch &&
    isTrue(after, "Admitted") &&
    UNHINDERED.has(running(after)?.reason) &&
    !isTrue(before, "Admitted") &&
    (isFirstSight || before.observedGeneration === after.observedGeneration) &&
    isSame(lasting(before), lasting(after))
  );
}

/** True conditions that a launch does not bring or end. */
function lasting({ conditions = [] }: OpalJobStatus): readonly string[] {
  return conditions
    .filter(({ type, status }) => status === "True" && !OF_LAUNCH.has(type))
    .map(({ type, reason }) => `${type} ${reason}`);
}
const UNHINDERED: ReadonlySet<string | undefined> = new Set([REASONS.PodsStarting, REASONS.PodsRunning]);
const OF_LAUNCH: ReadonlySet<string> = new Set(["Queued", "Admitted", "Running"]);

function isTrue({ conditions }: OpalJobStatus, type: ConditionType): boolean {
  return conditions?.find((condition) => condition.type === type)?.status === "True";
}

function hasOnlyBegunToRun(before: OpalJobStatus, after: OpalJobStatus): boolean {
  return running(after)?.status === "True" && !isPressing(before, asBefore(before, after));
}

function running({ conditions }: OpalJobStatus): Condition | undefined {
  return conditions?.find(({ type }) => type === "Running");
}

function asBefore(before: OpalJobStatus, after: OpalJobStatus): OpalJobStatus {
  const conditions = after.conditions?.map(
    (condition) => (condition.type === "Running" && running(before)) || condition,
  );
  return { ...after, phase: before.phase, conditions };
}

function pressing(status: OpalJobStatus): object {
  const { conditions, assignment, attempts, phase, observedGeneration, queue } = status;
  return {
    conditions: (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]),
    pool: assignment?.pool,
    attempts,
    phase,
    observedGeneration,
    blockedOn: queue?.blockedOn,
  };
}

/** Who is to start next or soon: its place is worth a write sooner than that of thousands behind. */
export function isNearHead(position: number | undefined): boolean {
  return position !== undefined && position <= HEAD_PLACES;
}
const HEAD_PLACES = 3;

/** Conditions too: those that did not press. */
function progress(status: OpalJobStatus): object {
  const { items, stages, failedItems, startTime, assignment, phase, queue } = status;
  const place = isNearHead(queue?.position) ? queue?.position : undefined;
  return { items, stages, failedItems, startTime, gpus: assignment?.gpus, phase, place };
}

/** JSON values; absent and undefined are the same, and the order of fields does not matter. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, at) => isSame(value, b[at]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSame(a[name], b[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
