/**
 * What a scheduler_config.json says, under the names that diffusers gives its options, with diffusers' defaults.
 * Options of other schedulers in the same file are ignored, as diffusers does; a value that would need what is not
 * here is refused.
 */
import * as z from "zod";
import { PREDICTIONS, type Prediction } from "./prediction.ts";
import { SPACINGS, type Spacing } from "./spacing.ts";

/** Absent and null are both "not said". */
const option = <T>(schema: z.ZodType<T>, usual: T) => schema.nullish().transform((value) => value ?? usual);
/** An option that only its usual value is known of. */
const only = <T extends string | number | boolean>(usual: T) => z.literal(usual).nullish();

const noise = {
  num_train_timesteps: option(z.int().min(2).max(100_000), 1000),
  beta_start: option(z.number().min(0).max(1), 0.0001),
  beta_end: option(z.number().min(0).max(1), 0.02),
  beta_schedule: option(z.enum(["linear", "scaled_linear", "squaredcos_cap_v2"]), "linear"),
  trained_betas: z.array(z.number().min(0).max(1)).min(2).nullish(),
  rescale_betas_zero_snr: option(z.boolean(), false),
  prediction_type: option(z.enum(PREDICTIONS), "epsilon"),
};
const NoiseConfig = z.object(noise);
export type NoiseConfig = z.infer<typeof NoiseConfig>;

const spacing = (usual: Spacing) => ({
  timestep_spacing: option(z.enum(SPACINGS), usual),
  steps_offset: option(z.int().min(0), 0),
});

const clipping = (usual: boolean) => ({
  clip_sample: option(z.boolean(), usual),
  clip_sample_range: option(z.number().positive(), 1),
  set_alpha_to_one: option(z.boolean(), true),
  thresholding: only(false),
});

/** How sigmas are spread that do not simply follow the timesteps. */
const sigmas = {
  use_karras_sigmas: option(z.boolean(), false),
  use_exponential_sigmas: only(false),
  use_beta_sigmas: only(false),
  final_sigmas_type: option(z.enum(["zero", "sigma_min"]), "zero"),
};

export const DdimConfig = z.object({ ...noise, ...spacing("leading"), ...clipping(true) });
export type DdimConfig = z.infer<typeof DdimConfig>;

export const EulerConfig = z.object({
  ...noise,
  ...spacing("linspace"),
  ...sigmas,
  sigma_min: z.number().positive().nullish(),
  sigma_max: z.number().positive().nullish(),
  /** Between training's steps; or spread evenly by their logarithms, whatever the timesteps. */
  interpolation_type: option(z.enum(["linear", "log_linear"]), "linear"),
  timestep_type: only("discrete"),
});
export type EulerConfig = z.infer<typeof EulerConfig>;

const withoutSample: readonly Prediction[] = ["epsilon", "v_prediction"];

export const EulerAncestralConfig = z.object({
  ...noise,
  ...spacing("linspace"),
  prediction_type: noise.prediction_type.refine((type) => withoutSample.includes(type), {
    error: 'must be "epsilon" or "v_prediction"',
  }),
});
export type EulerAncestralConfig = z.infer<typeof EulerAncestralConfig>;

export const DpmMultistepConfig = z.object({
  ...noise,
  ...spacing("linspace"),
  ...sigmas,
  solver_order: option(z.union([z.literal(1), z.literal(2)]), 2),
  algorithm_type: only("dpmsolver++"),
  /** Those of other solvers stand for midpoint. */
  solver_type: option(z.enum(["midpoint", "heun", "logrho", "bh1", "bh2"]), "midpoint"),
  lower_order_final: option(z.boolean(), true),
  euler_at_final: option(z.boolean(), false),
  thresholding: only(false),
  use_lu_lambdas: only(false),
  use_flow_sigmas: only(false),
  use_dynamic_shifting: only(false),
  /** JSON has no infinity: files that have one are read with null in its place. */
  lambda_min_clipped: z.null().optional(),
  variance_type: z.null().optional(),
});
export type DpmMultistepConfig = z.infer<typeof DpmMultistepConfig>;

/** Its own defaults are those of Stable Diffusion. */
export const LcmConfig = z.object({
  ...noise,
  ...clipping(false),
  beta_start: option(z.number().min(0).max(1), 0.00085),
  beta_end: option(z.number().min(0).max(1), 0.012),
  beta_schedule: option(z.enum(["linear", "scaled_linear", "squaredcos_cap_v2"]), "scaled_linear"),
  original_inference_steps: option(z.int().min(1), 50),
  timestep_scaling: option(z.number().positive(), 10),
});
export type LcmConfig = z.infer<typeof LcmConfig>;
