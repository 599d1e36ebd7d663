import * as z from "zod";

/** The stages of one item on the GPU, in the order in which they run. */
export const STAGES = ["segment", "place", "upscale"] as const;
export const Stage = z.enum(STAGES);
export type Stage = z.infer<typeof Stage>;

/** Plain cuts by aspect ratio. */
export const RATIO_EXPORTS = ["1:1", "4:3", "9:16"] as const;
/** Pictures that follow a sales channel's rules, and are checked against them. */
export const CHANNEL_EXPORTS = [
  "amazon-main",
  "google-shopping",
  "bol",
  "zalando",
  "instagram-story",
  "web-hero",
] as const;
/** Parts of the scene on their own, of its size: for those who go on in a picture editor. */
export const LAYER_EXPORTS = ["mask", "shadow", "cutout"] as const;
/** What an export can be asked for. */
export const EXPORTS = [...RATIO_EXPORTS, ...CHANNEL_EXPORTS, ...LAYER_EXPORTS] as const;
export const Export = z.enum(EXPORTS);
export type Export = z.infer<typeof Export>;
