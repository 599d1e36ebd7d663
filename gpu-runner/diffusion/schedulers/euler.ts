/** Euler's method on the probability flow of Karras et al. 2022. */
import { trainingSigmasOf } from "./betas.ts";
import type { EulerConfig } from "./config.ts";
import { karrasSigmas, sigmaAt, timestepOf } from "./karras.ts";
import type { Scheduler } from "./scheduler.ts";
import { pictureWeightsAt, sigmaScheduler, type SigmaSchedule } from "./sigma-schedule.ts";
import { evenly, spaced } from "./spacing.ts";
import { weightedSum } from "./weighted-sum.ts";

/** From the noisiest step of training to the least noisy; the last of them is where it ends. */
function logLinearSigmas(training: readonly number[], steps: number): number[] {
  const [from, to] = [Math.log(training.at(-1) ?? 1), Math.log(training[0] ?? 1)];
  return evenly(1, steps + 1).map((share) => Math.exp(from + share * (to - from)));
}

function scheduleOf(config: EulerConfig, steps: number): SigmaSchedule {
  const { timestep_spacing: spacing, steps_offset: offset, num_train_timesteps: of } = config;
  const training = trainingSigmasOf(config);
  const timesteps = spaced(steps, { spacing, of, offset }).map(Math.fround);
  const sigmas =
    config.interpolation_type === "linear"
      ? timesteps.map((timestep) => sigmaAt(timestep, training))
      : logLinearSigmas(training, steps);
  const last = config.final_sigmas_type === "zero" ? 0 : (training[0] ?? 0);
  if (!config.use_karras_sigmas) return { timesteps, sigmas: [...sigmas, last].map(Math.fround) };
  const [largest, smallest] = [config.sigma_max ?? sigmas[0] ?? 0, config.sigma_min ?? sigmas.at(-1) ?? 0];
  const karras = karrasSigmas(largest, smallest, steps);
  return {
    timesteps: karras.map((sigma) => Math.fround(timestepOf(sigma, training))),
    sigmas: [...karras, last].map(Math.fround),
  };
}

/** @throws {RangeError} for more steps than the spacing gives. */
export function createEuler(config: EulerConfig, steps: number): Scheduler {
  const schedule = scheduleOf(config, steps);
  return {
    ...sigmaScheduler(schedule, config.timestep_spacing),
    isStochastic: false,
    step(output, index, sample) {
      const [sigma = 1, next = 0] = schedule.sigmas.slice(index, index + 2);
      const { ofSample, ofOutput } = pictureWeightsAt(config.prediction_type, sigma);
      // What is noise in the sample is now sigma times normal, and shall be next times normal.
      const change = next / sigma - 1;
      return weightedSum([
        [1 + change * (1 - ofSample), sample],
        [-change * ofOutput, output],
      ]);
    },
  };
}
