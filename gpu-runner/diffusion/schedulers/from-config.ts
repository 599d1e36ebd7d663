/** The scheduler that a model's folder asks for, or that is asked for by name. */
import * as z from "zod";
import { DdimConfig, DpmMultistepConfig, EulerAncestralConfig, EulerConfig, LcmConfig } from "./config.ts";
import { createDdim } from "./ddim.ts";
import { createDpmMultistep } from "./dpm-multistep.ts";
import { createEuler } from "./euler.ts";
import { createEulerAncestral } from "./euler-ancestral.ts";
import { createLcm } from "./lcm.ts";
import type { Scheduler } from "./scheduler.ts";

export const SCHEDULER_NAMES = ["ddim", "euler", "euler-a", "dpm++2m", "dpm++2m-karras", "lcm"] as const;
export type SchedulerName = (typeof SCHEDULER_NAMES)[number];

export interface Schedule {
  readonly steps: number;
  /** Without it the folder's own. */
  readonly name?: SchedulerName | undefined;
  /** 0..1: how far a picture to begin with is noised; 1 without one. */
  readonly strength?: number | undefined;
}

type Options = Readonly<Record<string, unknown>>;
const Options = z.looseObject({ _class_name: z.string() });

const DPM = { algorithm_type: "dpmsolver++", solver_order: 2, solver_type: "midpoint" };

/** What a name means beside its class. */
const NAMED: Readonly<Record<SchedulerName, { readonly class: string; readonly options: Options }>> = {
  ddim: { class: "DDIMScheduler", options: {} },
  euler: { class: "EulerDiscreteScheduler", options: { use_karras_sigmas: false } },
  "euler-a": { class: "EulerAncestralDiscreteScheduler", options: {} },
  "dpm++2m": { class: "DPMSolverMultistepScheduler", options: { ...DPM, use_karras_sigmas: false } },
  "dpm++2m-karras": { class: "DPMSolverMultistepScheduler", options: { ...DPM, use_karras_sigmas: true } },
  lcm: { class: "LCMScheduler", options: {} },
};

function parse<T>(schema: z.ZodType<T>, options: Options, what: string): T {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new RangeError(
    `scheduler_config.json asks ${what} for what it cannot do:\n${z.prettifyError(parsed.error)}`,
  );
}

type Create = (options: Options, steps: number, strength: number) => Scheduler;

/** By the names of diffusers' classes. */
const CREATE: ReadonlyMap<string, Create> = new Map<string, Create>([
  ["DDIMScheduler", (options, steps) => createDdim(parse(DdimConfig, options, "DDIM"), steps)],
  ["EulerDiscreteScheduler", (options, steps) => createEuler(parse(EulerConfig, options, "Euler"), steps)],
  [
    "EulerAncestralDiscreteScheduler",
    (options, steps) => createEulerAncestral(parse(EulerAncestralConfig, options, "Euler ancestral"), steps),
  ],
  [
    "DPMSolverMultistepScheduler",
    (options, steps) => createDpmMultistep(parse(DpmMultistepConfig, options, "DPM-Solver++"), steps),
  ],
  [
    "LCMScheduler",
    (options, steps, strength) => createLcm(parse(LcmConfig, options, "LCM"), steps, strength),
  ],
]);

/** The class that the folder's file names. */
function ownClassOf(config: unknown): string {
  const parsed = Options.safeParse(config);
  if (parsed.success) return parsed.data._class_name;
  throw new RangeError(`scheduler_config.json is not as expected: ${z.prettifyError(parsed.error)}`);
}

/**
 * A scheduler for so many steps. What a folder asks for and is not known here, as PNDM of Stable Diffusion 1.5, is
 * never replaced silently: name one.
 * @param config content of scheduler_config.json
 * @throws {RangeError} for an unknown scheduler, options that it cannot do, or too many steps
 */
export function createScheduler(config: unknown, { steps, name, strength = 1 }: Schedule): Scheduler {
  const own = ownClassOf(config);
  const { class: wanted, options } = name === undefined ? { class: own, options: {} } : NAMED[name];
  const create = CREATE.get(wanted);
  if (!create) {
    throw new RangeError(
      `the model asks for ${own}, which is not known here: choose one of ${SCHEDULER_NAMES.join(", ")}`,
    );
  }
  if (!Number.isInteger(steps) || steps < 1) throw new RangeError(`${steps} is no number of steps`);
  return create({ ...(config as Options), ...options }, steps, strength);
}
