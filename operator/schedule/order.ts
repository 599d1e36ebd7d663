import type { JobState } from "./world.ts";

/**
 * The order inside a queue: priority, then deadline, then age. Kubernetes tells a job's age in whole seconds, and
 * nothing tells which of two was made first within one: such jobs go by their names, which people know and can
 * choose, and only namesakes by their uids. Negative: `a` goes first.
 */
export function compareJobs(a: JobState, b: JobState): number {
  return (
    b.priority - a.priority ||
    compareNumbers(a.deadlineMs ?? Infinity, b.deadlineMs ?? Infinity) ||
    a.createdAtMs - b.createdAtMs ||
    compareText(a.key, b.key) ||
    compareText(a.uid, b.uid)
  );
}

/** Infinity minus itself is not a number, so deadlines are compared and not subtracted. */
function compareNumbers(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** By code units: the same on every machine, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
