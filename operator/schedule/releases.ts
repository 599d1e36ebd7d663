/**
 * When GPUs become free, and what that means for work that waits: a staircase of GPUs over time, and how much
 * waiting work they have taken up by then.
 */
export interface Release {
  /** Milliseconds from now. */
  readonly afterMs: number;
  readonly gpus: number;
}

export interface Releases {
  /** When so many GPUs are free at once, if nobody takes any: Infinity if never. Milliseconds from now. */
  gpusFreeAfterMs(gpus: number): number;
  /**
   * When a job starts that has so much work before it (GPU-milliseconds), if the GPUs take up one job after the
   * other. On each of them, at any moment, half of what a job does there as a rule is not done yet but has started.
   */
  takenUpAfterMs(workMs: number): number;
}

export function createReleases(releases: readonly Release[], usualStayMs: number): Releases {
  const sorted = releases.filter(({ gpus }) => gpus > 0).sort((a, b) => a.afterMs - b.afterMs);
  const total: number[] = [];
  /** Work taken up by the moment that the release brings its GPUs. */
  const taken: number[] = [];
  let gpus = 0;
  let work = 0;
  let atMs = 0;
  for (const release of sorted) {
    work += gpus * (release.afterMs - atMs) + (release.gpus * usualStayMs) / 2;
    gpus += release.gpus;
    atMs = release.afterMs;
    total.push(gpus);
    taken.push(work);
  }
  return {
    gpusFreeAfterMs: (wanted) => sorted[firstAtLeast(total, wanted)]?.afterMs ?? Infinity,
    takenUpAfterMs(workMs) {
      const next = firstAtLeast(taken, workMs);
      const last = next - 1;
      const before = sorted[last];
      const after = sorted[next]?.afterMs ?? Infinity;
      if (!before) return after;
      const rest = (workMs - (taken[last] ?? 0)) / (total[last] ?? 1);
      return Math.min(after, before.afterMs + Math.max(0, rest));
    },
  };
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
