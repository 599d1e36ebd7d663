/** Latent consistency models (Luo et al. 2023): every step guesses the picture at once, and noises it again. */
import { alphasCumprodOf } from "./betas.ts";
import type { LcmConfig } from "./config.ts";
import { mixtureAt, pictureWeights } from "./prediction.ts";
import { needed, type Scheduler } from "./scheduler.ts";
import { addTerms, clip, scale, weightedSum } from "./weighted-sum.ts";

/** Deviation of the data for which the model was distilled. */
const DATA_SIGMA = 0.5;

/** Of the steps with which the model was distilled, `steps` as evenly spread as they come. */
function timestepsOf(config: LcmConfig, steps: number, strength: number): number[] {
  const { original_inference_steps: whole, num_train_timesteps: of } = config;
  const count = Math.floor(whole * strength);
  if (steps > count) {
    throw new RangeError(`${steps} steps are more than the ${count} with which the model was distilled`);
  }
  const stride = Math.floor(of / whole);
  return Array.from({ length: steps }, (_, i) => (count - Math.floor(i * (count / steps))) * stride - 1);
}

/**
 * @param strength 0..1, of the way from a picture's noise: its few steps all lie within it
 * @throws {RangeError} for more steps than the model was distilled with
 */
export function createLcm(config: LcmConfig, steps: number, strength = 1): Scheduler {
  const shares = alphasCumprodOf(config);
  const timesteps = timestepsOf(config, steps, strength);
  const mixtureOf = (index: number) => mixtureAt(shares[timesteps[index] ?? 0] ?? 1);

  return {
    timesteps,
    isWithinStrength: true,
    initNoiseSigma: 1,
    isStochastic: true,
    scaleModelInput: (sample) => sample,
    step(output, index, sample, noise) {
      const { ofSample, ofOutput } = pictureWeights(config.prediction_type, mixtureOf(index));
      const picture = weightedSum([
        [ofSample, sample],
        [ofOutput, output],
      ]);
      if (config.clip_sample) clip(picture, config.clip_sample_range);
      const time = (timesteps[index] ?? 0) * config.timestep_scaling;
      const norm = time ** 2 + DATA_SIGMA ** 2;
      const guess = addTerms(scale(picture, time / Math.sqrt(norm)), [[DATA_SIGMA ** 2 / norm, sample]]);
      if (index === timesteps.length - 1) return guess;
      const next = mixtureOf(index + 1);
      return addTerms(scale(guess, next.alpha), [[next.sigma, needed(noise)]]);
    },
    addNoise(original, noise, index) {
      const { alpha, sigma } = mixtureOf(index);
      return weightedSum([
        [alpha, original],
        [sigma, noise],
      ]);
    },
  };
}
