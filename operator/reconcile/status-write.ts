import type { OpalJobStatus } from "#crds/opaljob.ts";
import type { ReconcileSettings } from "./settings.ts";

/** Whether to write a status now, later, or not at all. */
export type WriteTiming =
  | { readonly write: "now" }
  | { readonly write: "later"; readonly afterMs: number }
  | { readonly write: "never" };

type Intervals = Pick<ReconcileSettings, "statusIntervalSeconds" | "backgroundIntervalSeconds">;

/**
 * What people and programs wait for (conditions, GPUs, attempts) is written at once; progress at most every
 * few seconds; what changes all the time by itself (usage, places in the queue) still less often.
 */
export function timeWrite(
  before: OpalJobStatus,
  after: OpalJobStatus,
  context: { intervals: Intervals; writtenAtMs: number; nowMs: number },
): WriteTiming {
  if (isSame(before, after)) return { write: "never" };
  if (!isSame(pressing(before), pressing(after))) return { write: "now" };
  const { statusIntervalSeconds, backgroundIntervalSeconds } = context.intervals;
  const isProgress = !isSame(progress(before), progress(after));
  const seconds = isProgress ? statusIntervalSeconds : backgroundIntervalSeconds;
  const afterMs = context.writtenAtMs + seconds * 1000 - context.nowMs;
  return afterMs <= 0 ? { write: "now" } : { write: "later", afterMs };
}

function pressing({ conditions, assignment, attempts, phase, observedGeneration }: OpalJobStatus): object {
  return {
    conditions: (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]),
    assignment: [assignment?.pool, assignment?.gpus],
    attempts,
    phase,
    observedGeneration,
  };
}

function progress({ items, stages, failedItems, startTime }: OpalJobStatus): object {
  return { items, stages, failedItems, startTime };
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

/** The JSON merge patch (RFC 7396) that makes `after` of `before`; undefined when they are the same. */
export function mergePatch(before: object, after: object): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const old: Record<string, unknown> = { ...before };
  const next: Record<string, unknown> = { ...after };
  for (const name of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [was, is] = [old[name], next[name]];
    if (isSame(was, is)) continue;
    patch[name] = isObject(was) && isObject(is) ? mergePatch(was, is) : (is ?? null);
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
