import type { ClassUsage, QueueBudget } from "./world.ts";

/**
 * A queue's past: GPU time that fades by half every half-life, so that who used much yesterday is not held back
 * for ever; and what its budget still allows in the present window.
 */
function decayedGpuSeconds(usage: ClassUsage, nowMs: number, halfLifeSeconds: number): number {
  const ageSeconds = Math.max(0, nowMs - usage.atMs) / 1000;
  return usage.gpuSeconds * 2 ** (-ageSeconds / halfLifeSeconds);
}

/** The usage after `gpuSeconds` more were measured at `nowMs`. */
export function addUsage(
  usage: ClassUsage,
  gpuSeconds: number,
  clock: { nowMs: number; halfLifeSeconds: number },
): ClassUsage {
  const { nowMs, halfLifeSeconds } = clock;
  const gpuSecondsNow = decayedGpuSeconds(usage, nowMs, halfLifeSeconds) + gpuSeconds;
  return { gpuClass: usage.gpuClass, gpuSeconds: gpuSecondsNow, atMs: nowMs };
}

/** Decayed GPU time as a number of GPUs: a queue that has always used three has the average three. */
export function averageGpus(usage: ClassUsage, nowMs: number, halfLifeSeconds: number): number {
  return (decayedGpuSeconds(usage, nowMs, halfLifeSeconds) * Math.LN2) / halfLifeSeconds;
}

export function windowStartMs(budget: Pick<QueueBudget, "windowSeconds">, nowMs: number): number {
  const windowMs = budget.windowSeconds * 1000;
  return Math.floor(nowMs / windowMs) * windowMs;
}

/** GPU time used in the present window: a new window begins with nothing used. */
export function usedInWindow(budget: QueueBudget, nowMs: number): number {
  return budget.windowStartMs < windowStartMs(budget, nowMs) ? 0 : budget.usedGpuSeconds;
}
