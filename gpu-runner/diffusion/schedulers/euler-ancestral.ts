/** Euler's method that takes out more noise than it should and puts fresh noise in its place, every step. */
import { trainingSigmasOf } from "./betas.ts";
import type { EulerAncestralConfig } from "./config.ts";
import { sigmaAt } from "./karras.ts";
import { needed, type Scheduler } from "./scheduler.ts";
import { pictureWeightsAt, sigmaScheduler, type SigmaSchedule } from "./sigma-schedule.ts";
import { spaced } from "./spacing.ts";
import { weightedSum } from "./weighted-sum.ts";

function scheduleOf(config: EulerAncestralConfig, steps: number): SigmaSchedule {
  const { timestep_spacing: spacing, steps_offset: offset, num_train_timesteps: of } = config;
  const training = trainingSigmasOf(config);
  const timesteps = spaced(steps, { spacing, of, offset }).map(Math.fround);
  const sigmas = timesteps.map((timestep) => sigmaAt(timestep, training));
  return { timesteps, sigmas: [...sigmas, 0].map(Math.fround) };
}

/** @throws {RangeError} for more steps than the spacing gives. */
export function createEulerAncestral(config: EulerAncestralConfig, steps: number): Scheduler {
  const schedule = scheduleOf(config, steps);
  return {
    ...sigmaScheduler(schedule, config.timestep_spacing),
    isStochastic: true,
    step(output, index, sample, noise) {
      const [sigma = 1, next = 0] = schedule.sigmas.slice(index, index + 2);
      const { ofSample, ofOutput } = pictureWeightsAt(config.prediction_type, sigma);
      const fresh = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
      const change = Math.sqrt(next ** 2 - fresh ** 2) / sigma - 1;
      return weightedSum([
        [1 + change * (1 - ofSample), sample],
        [-change * ofOutput, output],
        [fresh, needed(noise)],
      ]);
    },
  };
}
