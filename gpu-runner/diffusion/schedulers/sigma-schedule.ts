/** What schedulers have in common that count noise in sigmas: their samples are picture + sigma × noise. */
import { mixtureOf, type Prediction, pictureWeights, type Weights } from "./prediction.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Spacing } from "./spacing.ts";
import { weightedSum } from "./weighted-sum.ts";

export interface SigmaSchedule {
  readonly timesteps: readonly number[];
  /** At each timestep, and one more after the last. */
  readonly sigmas: readonly number[];
}

/** The picture in a sample. */
export function pictureWeightsAt(prediction: Prediction, sigma: number): Weights {
  const mixture = mixtureOf(sigma);
  const { ofSample, ofOutput } = pictureWeights(prediction, mixture);
  return { ofSample: ofSample * mixture.alpha, ofOutput };
}

/** With the spacing that leaves the noisiest steps out, the picture's own variance counts. */
function initNoiseSigmaOf(spacing: Spacing, sigmas: readonly number[]): number {
  const largest = Math.max(...sigmas);
  return spacing === "leading" ? Math.sqrt(largest ** 2 + 1) : largest;
}

/** All of a scheduler but its step. */
export function sigmaScheduler(
  { timesteps, sigmas }: SigmaSchedule,
  spacing: Spacing,
): Omit<Scheduler, "step" | "isStochastic"> {
  const sigmaAt = (index: number) => sigmas[index] ?? 0;
  return {
    timesteps,
    initNoiseSigma: initNoiseSigmaOf(spacing, sigmas),
    scaleModelInput: (sample, index) => weightedSum([[1 / Math.sqrt(sigmaAt(index) ** 2 + 1), sample]]),
    addNoise: (original, noise, index) =>
      weightedSum([
        [1, original],
        [sigmaAt(index), noise],
      ]),
  };
}
