/**
 * Schedulers on a network whose answer is known: the exact one for pictures that are normally distributed. Then the
 * whole way from noise has a closed form, or a limit, that no implementation was asked for.
 */
import { describe, expect, it } from "vitest";
import { normals } from "../noise.ts";
import { createScheduler } from "./from-config.ts";
import { PREDICTIONS, type Prediction } from "./prediction.ts";
import type { Scheduler } from "./scheduler.ts";

/** Pictures: every number normal, of this mean and variance. */
const MEAN = 0.4;
const VARIANCE = 0.49;
const STABLE_DIFFUSION = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };

const make = (className: string, steps: number, options: object = {}) =>
  createScheduler({ _class_name: className, ...STABLE_DIFFUSION, ...options }, { steps });

/** Share of the picture and of the noise in a sample before a step, as the scheduler itself mixes them. */
function mixtureAt(scheduler: Scheduler, index: number) {
  const at = (picture: number, noise: number) =>
    scheduler.addNoise(Float32Array.of(picture), Float32Array.of(noise), index)[0] ?? 0;
  return { alpha: at(1, 0), sigma: at(0, 1) };
}

/** Noise over picture before each step. */
const sigmasOf = (scheduler: Scheduler) =>
  scheduler.timesteps.map((_, index) => {
    const { alpha, sigma } = mixtureAt(scheduler, index);
    return sigma / alpha;
  });

/** The exact answer to a sample before a step. */
function answerTo(scheduler: Scheduler, index: number, prediction: Prediction) {
  const { alpha, sigma } = mixtureAt(scheduler, index);
  const norm = Math.hypot(alpha, sigma);
  const gain = (alpha * VARIANCE) / (alpha ** 2 * VARIANCE + sigma ** 2);
  return (value: number) => {
    const picture = MEAN + gain * (value - alpha * MEAN);
    const noise = (value - alpha * picture) / sigma;
    if (prediction === "sample") return picture;
    return prediction === "epsilon" ? noise : (alpha * noise - sigma * picture) / norm;
  };
}

function run(scheduler: Scheduler, start: Float32Array, prediction: Prediction = "epsilon"): Float32Array {
  return scheduler.timesteps.reduce((sample, _, index) => {
    const noise = scheduler.isStochastic ? normals(99, index + 1, sample.length) : undefined;
    const shown = scheduler.scaleModelInput(sample, index);
    expect(shown).toHaveLength(sample.length);
    return scheduler.step(sample.map(answerTo(scheduler, index, prediction)), index, sample, noise);
  }, start);
}

/** A sample that is `z` deviations off the mean of all samples before the first step. */
function startAt(scheduler: Scheduler, z: number): Float32Array {
  const { alpha, sigma } = mixtureAt(scheduler, 0);
  return Float32Array.of(alpha * MEAN + z * Math.sqrt(alpha ** 2 * VARIANCE + sigma ** 2));
}

/** Where the flow itself takes it, down to so much noise. */
const flowsTo = (z: number, sigma: number) => MEAN + z * Math.sqrt(VARIANCE + sigma ** 2);

/** Least noise of the schedule of Stable Diffusion. */
const [SIGMA_MIN = 0] = sigmasOf(make("EulerDiscreteScheduler", 2)).slice(-1);

/** How fast the error falls as steps get four times as many. `alpha`: the picture's share in the last sample. */
function orderOf(create: (steps: number) => Scheduler, alpha: number): number {
  const error = (steps: number) => {
    const scheduler = create(steps);
    const [end = 0] = run(scheduler, startAt(scheduler, 1.5));
    return Math.abs(end / alpha - flowsTo(1.5, SIGMA_MIN));
  };
  return Math.log(error(25) / error(100)) / Math.log(4);
}

describe("Euler and DDIM: each step is a known factor", () => {
  /** Of the distance to the mean, picture's share taken as 1. */
  const factor = (sigma: number, next: number) => 1 + ((next - sigma) * sigma) / (VARIANCE + sigma ** 2);
  const product = (sigmas: readonly number[]) =>
    sigmas.slice(1).reduce((all, next, i) => all * factor(sigmas[i] ?? 0, next), 1);

  it.each(["linspace", "leading", "trailing"])("Euler, %s", (timestep_spacing) => {
    const scheduler = make("EulerDiscreteScheduler", 20, { timestep_spacing });
    const sigmas = sigmasOf(scheduler);
    for (const z of [-2, 0.3, 3]) {
      const start = startAt(scheduler, z);
      const [end = 0] = run(scheduler, start);
      expect(end).toBeCloseTo(MEAN + ((start[0] ?? 0) - MEAN) * product([...sigmas, 0]), 5);
    }
  });

  it.each([20, 50])("DDIM, %i steps that end without noise", (steps) => {
    const scheduler = make("DDIMScheduler", steps, { clip_sample: false });
    const { alpha } = mixtureAt(scheduler, 0);
    const sigmas = sigmasOf(scheduler);
    for (const z of [-2, 0.3, 3]) {
      const start = startAt(scheduler, z);
      const [end = 0] = run(scheduler, start);
      expect(end).toBeCloseTo(MEAN + ((start[0] ?? 0) / alpha - MEAN) * product([...sigmas, 0]), 4);
    }
  });
});

describe("the flow is approached", () => {
  const options = { final_sigmas_type: "sigma_min", use_karras_sigmas: true };
  const leastNoisy = 1 / Math.sqrt(1 + SIGMA_MIN ** 2);
  const dpm = (more: object) => (steps: number) =>
    make("DPMSolverMultistepScheduler", steps, { ...options, ...more });

  it("by Euler in the first order", () => {
    const order = orderOf((steps) => make("EulerDiscreteScheduler", steps, options), 1);
    expect(Math.abs(order - 1)).toBeLessThan(0.1);
  });

  it("by DPM-Solver++ of one order in the first", () => {
    expect(Math.abs(orderOf(dpm({ solver_order: 1 }), leastNoisy) - 1)).toBeLessThan(0.1);
  });

  it.each(["midpoint", "heun"])("by DPM-Solver++ 2M in the second: %s", (solver_type) => {
    expect(Math.abs(orderOf(dpm({ solver_type }), leastNoisy) - 2)).toBeLessThan(0.25);
  });

  it("better by 20 steps of DPM-Solver++ 2M than by 50 of Euler", () => {
    const error = (className: string, steps: number) => {
      const scheduler = make(className, steps, { use_karras_sigmas: true });
      return Math.abs((run(scheduler, startAt(scheduler, 1.5))[0] ?? 0) - flowsTo(1.5, 0));
    };
    expect(error("DPMSolverMultistepScheduler", 20)).toBeLessThan(error("EulerDiscreteScheduler", 50));
  });
});

describe("what the network predicts does not matter", () => {
  const classes = [
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "LCMScheduler",
  ];

  it.each(classes)("to %s", (className) => {
    const known = PREDICTIONS.filter(
      (type) => className !== "EulerAncestralDiscreteScheduler" || type !== "sample",
    );
    const ends = known.map((prediction_type) => {
      const scheduler = make(className, 12, { prediction_type, clip_sample: false });
      return run(scheduler, startAt(scheduler, 1), prediction_type)[0];
    });
    for (const end of ends) expect(end).toBeCloseTo(ends[0] ?? NaN, 3);
  });
});

describe("stochastic schedulers keep the distribution", () => {
  const COUNT = 40_000;

  function momentsOf(values: Float32Array) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, variance };
  }

  /** Samples of the right distribution before the first step. */
  function startOf(scheduler: Scheduler): Float32Array {
    const { alpha, sigma } = mixtureAt(scheduler, 0);
    const deviation = Math.sqrt(alpha ** 2 * VARIANCE + sigma ** 2);
    return normals(3, 0, COUNT).map((z) => alpha * MEAN + z * deviation);
  }

  function expectMoments(values: Float32Array, mean: number, variance: number): void {
    const got = momentsOf(values);
    expect(Math.abs(got.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(Math.abs(got.variance - variance)).toBeLessThan(5 * variance * Math.sqrt(2 / COUNT));
  }

  it("Euler ancestral, step by step, and the pictures' own in the limit", () => {
    const predicted = (steps: number) => {
      const scheduler = make("EulerAncestralDiscreteScheduler", steps);
      const sigmas = [...sigmasOf(scheduler), 0];
      const variance = sigmas.slice(1).reduce(
        (variance, next, i) => {
          const sigma = sigmas[i] ?? 0;
          const fresh = (next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2;
          const kept = 1 + ((Math.sqrt(next ** 2 - fresh) - sigma) * sigma) / (VARIANCE + sigma ** 2);
          return variance * kept ** 2 + fresh;
        },
        VARIANCE + (sigmas[0] ?? 0) ** 2,
      );
      return { scheduler, variance };
    };
    const { scheduler, variance } = predicted(20);
    expectMoments(run(scheduler, startOf(scheduler)), MEAN, variance);
    const [coarse, fine] = [20, 500].map((steps) => Math.abs(predicted(steps).variance - VARIANCE));
    expect(fine).toBeLessThan((coarse ?? 0) / 5);
    expect(fine).toBeLessThan(0.03 * VARIANCE);
  });

  it("LCM, step by step", () => {
    const scheduler = make("LCMScheduler", 4);
    let { mean, variance } = momentsOf(startOf(scheduler));
    for (const [index, timestep] of scheduler.timesteps.entries()) {
      const { alpha, sigma } = mixtureAt(scheduler, index);
      const gain = (alpha * VARIANCE) / (alpha ** 2 * VARIANCE + sigma ** 2);
      const norm = (10 * timestep) ** 2 + 0.25;
      const [out, skip] = [(10 * timestep) / Math.sqrt(norm), 0.25 / norm];
      mean = out * (MEAN + gain * (mean - alpha * MEAN)) + skip * mean;
      variance *= (out * gain + skip) ** 2;
      if (index + 1 === scheduler.timesteps.length) break;
      const next = mixtureAt(scheduler, index + 1);
      mean *= next.alpha;
      variance = next.alpha ** 2 * variance + next.sigma ** 2;
    }
    expectMoments(run(scheduler, startOf(scheduler)), mean, variance);
  });

  it.each(["EulerAncestralDiscreteScheduler", "LCMScheduler"])(
    "%s does nothing without noise",
    (className) => {
      const scheduler = make(className, 4);
      expect(() => scheduler.step(new Float32Array(4), 0, new Float32Array(4))).toThrow("fresh noise");
    },
  );
});
