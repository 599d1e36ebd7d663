/**
 * When GPUs become free, and what that means for work that waits: a staircase of GPUs over time, and how much
 * waiting work they have taken up by then.
 */
export interface Release {
  /** Milliseconds from now. */
  readonly afterMs: number;
  readonly gpus: number;
}

/** The staircase by steps, as plain lists of numbers: thousands of estimates walk up it. */
export interface Releases {
  /** Milliseconds from now. */
  readonly moments: readonly number[];
  /** All GPUs from that moment on. */
  readonly gpus: readonly number[];
  /** Work taken up by the moment that the step brings its GPUs, in GPU-milliseconds. */
  readonly takenMs: readonly number[];
}

export function createReleases(releases: readonly Release[], usualStayMs: number): Releases {
  const sorted = releases.filter(({ gpus }) => gpus > 0).sort((a, b) => a.afterMs - b.afterMs);
  const moments: number[] = [];
  const total: number[] = [];
  const takenMs: number[] = [];
  let gpus = 0;
  let workMs = 0;
  let atMs = 0;
  for (const release of sorted) {
    workMs += gpus * (release.afterMs - atMs) + (release.gpus * usualStayMs) / 2;
    gpus += release.gpus;
    atMs = release.afterMs;
    moments.push(atMs);
    total.push(gpus);
    takenMs.push(workMs);
  }
  return { moments, gpus: total, takenMs };
}

/** When so many GPUs are free at once, if nobody takes any: Infinity if never. Milliseconds from now. */
export function gpusFreeAfterMs({ moments, gpus }: Releases, wanted: number): number {
  return moments[firstAtLeast(gpus, wanted)] ?? Infinity;
}

/** When the first GPU is free: Infinity if never. Milliseconds from now. */
export function firstAfterMs({ moments }: Releases): number {
  return moments[0] ?? Infinity;
}

/**
 * When a job starts that has so much work before it (GPU-milliseconds), if the GPUs take up one job after the
 * other. On each of them, at any moment, half of what a job does there as a rule is not done yet but has started.
 */
export function takenUpAfterMs({ moments, gpus, takenMs }: Releases, workMs: number): number {
  const next = firstAtLeast(takenMs, workMs);
  const afterMs = moments[next] ?? Infinity;
  if (next === 0) return afterMs;
  const last = next - 1;
  const restMs = (workMs - (takenMs[last] ?? 0)) / (gpus[last] ?? 1);
  return Math.min(afterMs, (moments[last] ?? 0) + Math.max(0, restMs));
}

function firstAtLeast(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
