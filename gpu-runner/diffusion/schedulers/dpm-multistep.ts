/**
 * DPM-Solver++ 2M (Lu et al. 2022): a straight line through this step's picture and the last one's is followed. The
 * first step has no last one, and a step that ends without noise needs none.
 */
import { trainingSigmasOf } from "./betas.ts";
import type { DpmMultistepConfig } from "./config.ts";
import { karrasSigmas, sigmaAt, timestepOf } from "./karras.ts";
import { mixtureOf, pictureWeights } from "./prediction.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SigmaSchedule } from "./sigma-schedule.ts";
import { roundHalfEven, spaced } from "./spacing.ts";
import { weightedSum } from "./weighted-sum.ts";

/** With fewer steps the last one is taken without the one before. */
const FEW_STEPS = 15;

/** Spread over one step more than is taken: the last, without noise, is left out. Trailing has none to leave out. */
function timestepsOf(config: DpmMultistepConfig, steps: number): number[] {
  const { timestep_spacing: spacing, steps_offset: offset, num_train_timesteps: of } = config;
  if (spacing === "trailing") return spaced(steps, { spacing, of, offset });
  return spaced(steps + 1, { spacing, of, offset })
    .slice(0, -1)
    .map(roundHalfEven);
}

function scheduleOf(config: DpmMultistepConfig, steps: number): SigmaSchedule {
  const training = trainingSigmasOf(config);
  const smallest = training[0] ?? 0;
  const last = config.final_sigmas_type === "zero" ? 0 : smallest;
  if (config.use_karras_sigmas) {
    const sigmas = karrasSigmas(training.at(-1) ?? 0, smallest, steps);
    // Steps of cosine schedules are cut off, not rounded.
    const whole = config.beta_schedule === "squaredcos_cap_v2" ? Math.trunc : roundHalfEven;
    const timesteps = sigmas.map((sigma) => whole(timestepOf(sigma, training)));
    return { timesteps, sigmas: [...sigmas, last].map(Math.fround) };
  }
  const timesteps = timestepsOf(config, steps);
  const sigmas = timesteps.map((timestep) => sigmaAt(timestep, training));
  return { timesteps, sigmas: [...sigmas, last].map(Math.fround) };
}

/** Half the logarithm of signal over noise. */
const lambdaOf = (sigma: number) => -Math.log(sigma);

/** @throws {RangeError} for more steps than the spacing gives. */
export function createDpmMultistep(config: DpmMultistepConfig, steps: number): Scheduler {
  const { timesteps, sigmas } = scheduleOf(config, steps);
  const sigmaOf = (index: number) => sigmas[index] ?? 0;
  const endsInFirstOrder =
    config.euler_at_final ||
    (config.lower_order_final && timesteps.length < FEW_STEPS) ||
    config.final_sigmas_type === "zero";
  let last: { index: number; picture: Float32Array } | undefined;
  let spare: Float32Array | undefined;

  function pictureAt(index: number, sample: Float32Array, output: Float32Array): Float32Array {
    const { ofSample, ofOutput } = pictureWeights(config.prediction_type, mixtureOf(sigmaOf(index)));
    return weightedSum(
      [
        [ofSample, sample],
        [ofOutput, output],
      ],
      spare?.length === sample.length ? spare : undefined,
    );
  }

  /** Weight of the line's slope, which is this step's picture less the last one's; 0: no line is followed. */
  function slopeWeight(index: number, taken: number): number {
    const isEnd = index === timesteps.length - 1 && endsInFirstOrder;
    const way = lambdaOf(sigmaOf(index + 1)) - lambdaOf(sigmaOf(index));
    if (config.solver_order === 1 || isEnd || last?.index !== index - 1 || way === 0) return 0;
    const before = lambdaOf(sigmaOf(index)) - lambdaOf(sigmaOf(index - 1));
    const share =
      config.solver_type === "heun" ? mixtureOf(sigmaOf(index + 1)).alpha - taken / way : taken / 2;
    return (share * way) / before;
  }

  return {
    timesteps,
    initNoiseSigma: 1,
    isStochastic: false,
    scaleModelInput: (sample) => sample,
    step(output, index, sample) {
      const picture = pictureAt(index, sample, output);
      const [now, next] = [mixtureOf(sigmaOf(index)), mixtureOf(sigmaOf(index + 1))];
      const kept = next.sigma / now.sigma;
      const taken = next.alpha - kept * now.alpha;
      const slope = slopeWeight(index, taken);
      const result = weightedSum([
        [kept, sample],
        [taken + slope, picture],
        [-slope, last && slope !== 0 ? last.picture : picture],
      ]);
      spare = last?.picture;
      last = { index, picture };
      return result;
    },
    addNoise(original, noise, index) {
      const { alpha, sigma } = mixtureOf(sigmaOf(index));
      return weightedSum([
        [alpha, original],
        [sigma, noise],
      ]);
    },
  };
}
