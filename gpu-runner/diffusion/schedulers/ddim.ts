/** DDIM (Song et al. 2020) without added noise: one step changes how picture and noise are mixed, nothing else. */
import { alphasCumprodOf } from "./betas.ts";
import type { DdimConfig } from "./config.ts";
import { mixtureAt, noiseWeights, pictureWeights } from "./prediction.ts";
import type { Scheduler } from "./scheduler.ts";
import { roundHalfEven, spaced } from "./spacing.ts";
import { addTerms, clip, scale, weightedSum } from "./weighted-sum.ts";

/** @throws {RangeError} for more steps than the spacing gives. */
export function createDdim(config: DdimConfig, steps: number): Scheduler {
  const { prediction_type, timestep_spacing, steps_offset: offset, num_train_timesteps: of } = config;
  const shares = alphasCumprodOf(config);
  const timesteps = spaced(steps, { spacing: timestep_spacing, of, offset }).map(roundHalfEven);
  const stride = Math.floor(of / steps);
  const finalShare = config.set_alpha_to_one ? 1 : (shares[0] ?? 1);
  const mixtureOf = (timestep: number) => mixtureAt(timestep >= 0 ? (shares[timestep] ?? 1) : finalShare);

  return {
    timesteps,
    initNoiseSigma: 1,
    isStochastic: false,
    scaleModelInput: (sample) => sample,
    step(output, index, sample) {
      const timestep = timesteps[index] ?? 0;
      const now = mixtureOf(timestep);
      const next = mixtureOf(timestep - stride);
      const ofPicture = pictureWeights(prediction_type, now);
      const ofNoise = noiseWeights(prediction_type, now);
      const picture = weightedSum([
        [ofPicture.ofSample, sample],
        [ofPicture.ofOutput, output],
      ]);
      if (config.clip_sample) clip(picture, config.clip_sample_range);
      return addTerms(scale(picture, next.alpha), [
        [next.sigma * ofNoise.ofSample, sample],
        [next.sigma * ofNoise.ofOutput, output],
      ]);
    },
    addNoise(original, noise, index) {
      const { alpha, sigma } = mixtureOf(timesteps[index] ?? 0);
      return weightedSum([
        [alpha, original],
        [sigma, noise],
      ]);
    },
  };
}
