/** With which model scenes are painted, and how. Plain data: it crosses threads and stands in recipes. */
import * as z from "zod";
import { SCHEDULER_NAMES } from "../diffusion/schedulers/from-config.ts";

/** The small model that comes with the runner. */
export const OWN_SCENE_MODEL = "opal-scene";

export const SceneSettings = z.object({
  /** Folder of the model in the models' folder, or the runner's own. */
  model: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "must be the name of a model's folder"),
  /** Without these, what the model's folder or its kind says. */
  steps: z.int().min(1).max(1000).optional(),
  guidance: z.number().min(0).max(100).optional(),
  scheduler: z.enum(SCHEDULER_NAMES).optional(),
  /** So many seeds are tried until a picture leaves the product its size. */
  tries: z.int().min(1).max(20),
  /** No picture is made of prompts that hold one of these words or rows of words. */
  refusedWords: z.array(z.string()),
});
export type SceneSettings = z.infer<typeof SceneSettings>;

/** What no shop asks for. A platform's own list replaces it. */
export const REFUSED_WORDS = [
  "nude",
  "naked",
  "nsfw",
  "porn",
  "pornographic",
  "erotic",
  "sexual",
  "gore",
  "beheaded",
  "swastika",
] as const;

export const DEFAULT_SCENES: SceneSettings = {
  model: OWN_SCENE_MODEL,
  tries: 3,
  refusedWords: [...REFUSED_WORDS],
};
