import { describe, expect, it } from "vitest";
import { createScheduler, SCHEDULER_NAMES } from "./from-config.ts";

/** As published with Stable Diffusion 1.5. */
const SD_15 = {
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
  clip_sample: false,
};

/** As published with SD-Turbo, in the main. */
const TURBO = {
  ...SD_15,
  _class_name: "EulerDiscreteScheduler",
  timestep_spacing: "trailing",
  prediction_type: "epsilon",
};

describe("a scheduler from a folder's file", () => {
  it("is the folder's own where it is known", () => {
    expect(createScheduler(TURBO, { steps: 1 }).timesteps).toEqual([999]);
    expect(createScheduler(TURBO, { steps: 4 }).timesteps).toEqual([999, 749, 499, 249]);
  });

  it("is never replaced silently", () => {
    expect(() => createScheduler(SD_15, { steps: 20 })).toThrow(
      `the model asks for PNDMScheduler, which is not known here: choose one of ${SCHEDULER_NAMES.join(", ")}`,
    );
  });

  it.each(SCHEDULER_NAMES)("may be chosen: %s", (name) => {
    const scheduler = createScheduler(SD_15, { steps: 8, name });
    expect(scheduler.timesteps).toHaveLength(8);
    const falls = scheduler.timesteps.every((timestep, i, all) => i === 0 || timestep < (all[i - 1] ?? 0));
    expect(falls).toBe(true);
    expect(scheduler.isStochastic).toBe(name === "euler-a" || name === "lcm");
  });

  it("chosen by name has the class's own spacing where the file says none", () => {
    expect(createScheduler(SD_15, { steps: 2, name: "ddim" }).timesteps).toEqual([501, 1]);
    expect(createScheduler(SD_15, { steps: 2, name: "euler" }).timesteps).toEqual([999, 0]);
    expect(createScheduler(SD_15, { steps: 2, name: "dpm++2m" }).timesteps).toEqual([999, 500]);
  });

  it("chosen by name leaves a file's own kind of DPM-Solver behind", () => {
    const sde = {
      ...SD_15,
      _class_name: "DPMSolverMultistepScheduler",
      algorithm_type: "sde-dpmsolver++",
      solver_order: 3,
    };
    expect(() => createScheduler(sde, { steps: 5 })).toThrow("algorithm_type");
    expect(createScheduler(sde, { steps: 5, name: "dpm++2m" }).timesteps).toHaveLength(5);
  });

  it.each([
    { name: "ddim", options: { thresholding: true } },
    { name: "ddim", options: { beta_schedule: "sigmoid" } },
    { name: "ddim", options: { prediction_type: "flow_prediction" } },
    { name: "ddim", options: { timestep_spacing: "log" } },
    { name: "euler", options: { use_beta_sigmas: true } },
    { name: "euler", options: { timestep_type: "continuous" } },
    { name: "euler-a", options: { prediction_type: "sample" } },
    { name: "dpm++2m", options: { use_flow_sigmas: true } },
    { name: "dpm++2m", options: { variance_type: "learned" } },
    { name: "lcm", options: { thresholding: true } },
  ] as const)("refuses what $name cannot do: $options", ({ name, options }) => {
    const [option = ""] = Object.keys(options);
    const create = () => createScheduler({ ...SD_15, ...options }, { steps: 4, name });
    expect(create).toThrow(RangeError);
    expect(create).toThrow(option);
  });

  it.each([
    { config: null, schedule: { steps: 4 }, message: "scheduler_config.json is not as expected" },
    { config: { beta_start: 0 }, schedule: { steps: 4 }, message: "_class_name" },
    { config: TURBO, schedule: { steps: 0 }, message: "0 is no number of steps" },
    { config: TURBO, schedule: { steps: 2.5 }, message: "2.5 is no number of steps" },
    { config: SD_15, schedule: { steps: 1000, name: "ddim" }, message: "1000 steps are more than" },
    { config: SD_15, schedule: { steps: 51, name: "lcm" }, message: "51 steps are more than the 50" },
  ] as const)("refuses: $message", ({ config, schedule, message }) => {
    expect(() => createScheduler(config, schedule)).toThrow(message);
  });

  it("begins anew when a step does not follow the last one", () => {
    const [a, b] = [1, 2].map(() => createScheduler(SD_15, { steps: 6, name: "dpm++2m" }));
    const [output, sample] = [Float32Array.of(0.3), Float32Array.of(0.8)];
    a?.step(output, 0, sample);
    a?.step(output, 1, sample);
    expect(a?.step(output, 3, sample)).toEqual(b?.step(output, 3, sample));
  });
});
