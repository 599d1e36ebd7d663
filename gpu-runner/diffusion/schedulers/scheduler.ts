/**
 * How noise becomes a picture in few steps. A scheduler knows one way from full noise to none (timesteps, and how
 * noisy each is) and takes one step of it at a time; it sees neither networks nor prompts. Which one a model wants
 * is in its scheduler_config.json: from-config. All are those of diffusers: same schedules, same numbers.
 *
 * ddim, euler, euler-ancestral, dpm-multistep, lcm: one each. betas, spacing, karras: schedules. prediction: what a
 * network's output means. weighted-sum: the arithmetic of a step.
 */

/** Samples are latents of one or several pictures as one row of numbers, of any length. */
export interface Scheduler {
  /** What the network is told at each step, falling from about 1000 to 0. */
  readonly timesteps: readonly number[];
  /** Normal noise times this is where a picture from words alone begins. */
  readonly initNoiseSigma: number;
  /** All steps lie within the strength that it was made for; else the first are left out for a strength below 1. */
  readonly isWithinStrength?: true;
  /** Whether `step` needs fresh noise. */
  readonly isStochastic: boolean;
  /** The sample as the network wants it; may be the very same. */
  scaleModelInput(sample: Float32Array, index: number): Float32Array;
  /**
   * The sample after the step. Steps are taken in order, from any of them on.
   * @param noise normal numbers, as many as the sample has
   * @throws {RangeError} when a stochastic scheduler is given none
   */
  step(modelOutput: Float32Array, index: number, sample: Float32Array, noise?: Float32Array): Float32Array;
  /** A picture without noise as noisy as `step(…, index, …)` expects its sample. */
  addNoise(original: Float32Array, noise: Float32Array, index: number): Float32Array;
}

/** @throws {RangeError} without noise. */
export function needed(noise: Float32Array | undefined): Float32Array {
  if (noise) return noise;
  throw new RangeError("a stochastic scheduler takes fresh noise in every step");
}
