import * as z from "zod";

/** The stages of one item on the GPU, in the order in which they run. */
export const STAGES = ["segment", "place", "upscale"] as const;
export const Stage = z.enum(STAGES);
export type Stage = z.infer<typeof Stage>;

/** Aspect ratios and channel profiles that an export can be asked for. */
export const EXPORTS = ["1:1", "4:3", "9:16"] as const;
export const Export = z.enum(EXPORTS);
export type Export = z.infer<typeof Export>;
