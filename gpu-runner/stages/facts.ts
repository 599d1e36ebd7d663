/** What each stage leaves in its record for later stages, the report and the export worker. */
import * as z from "zod";
import { Box, Fidelity } from "#crds/runner-report.ts";
import { PLACEMENTS, SHADOW_PARTS } from "#crds/brand.ts";
import { Rights } from "../provenance/rights.ts";

const Source = z.object({
  format: z.string(),
  width: z.int(),
  height: z.int(),
  bytes: z.int(),
  sha256: z.string(),
});

const ModelUsed = z.object({ name: z.string(), sha256: z.string(), licence: z.string() });
export type ModelUsed = z.infer<typeof ModelUsed>;

const Share = z.number().min(0).max(1);

/** What came later than the first version is optional: records of earlier runners are read too. */
export const SegmentFacts = z.object({
  source: Source,
  rights: Rights.optional(),
  /** What was done to the photo that its owner may not expect, as sentences. */
  notes: z.array(z.string()),
  /** Absent where the photo was a cut-out already: its own matte was kept. */
  model: ModelUsed.optional(),
  /** Largest raw score of the model, 0..1, and the share of the picture that the product covers. */
  productScore: z.number(),
  coverage: z.number(),
  /** In pixels of the cut-out. */
  productBox: Box,
  touchesFrame: z.array(z.enum(["left", "top", "right", "bottom"])),
  /** How much of each edge of the photo the product covers. */
  frameContact: z.object({ left: Share, top: Share, right: Share, bottom: Share }).optional(),
  /** What stands apart in the matte, largest first, as shares of the picture. */
  parts: z.array(z.object({ box: Box, share: Share })).optional(),
  severalProducts: z.boolean().optional(),
  /** Mean opacity of the inside, and the share of it that is neither clear nor solid. */
  interiorAlpha: Share.optional(),
  softInterior: Share.optional(),
  /** The inside lets light through as far as the matte shows it: clear glass that the model took for solid does not. */
  transparentSuspected: z.boolean().optional(),
  /** The closer look at the product alone; not `taken` where the product fills the frame anyway. */
  secondLook: z
    .object({
      box: Box,
      magnification: z.number(),
      taken: z.boolean(),
      /** The share of the box in which the matte changed by more than a tenth. */
      changed: Share,
    })
    .optional(),
  specksCleared: z.int(),
  pinholesClosed: z.int(),
});
export type SegmentFacts = z.infer<typeof SegmentFacts>;

/** How a scene was painted. */
export const GeneratedFacts = z.object({
  /** As the model was given them: slots filled. */
  prompt: z.string(),
  negativePrompt: z.string().optional(),
  /** Of the picture that was taken: the brand's, and one more for each try before it. */
  seed: z.int(),
  tries: z.int(),
  /** How much larger than its matte the product looks to the segmenter, as a share of its area. */
  growth: z.number(),
  strength: z.number(),
  steps: z.int(),
  guidance: z.number(),
  scheduler: z.string().optional(),
  /** Of the picture that the model painted, before it was enlarged to the scene. */
  width: z.int(),
  height: z.int(),
  model: ModelUsed,
});
export type GeneratedFacts = z.infer<typeof GeneratedFacts>;

export const PlaceFacts = z.object({
  placement: z.enum(PLACEMENTS),
  /** The set that was built; for the other placements what they are: none, flat, gradient, image. */
  set: z.string(),
  /** How the product meets the ground, as asked for or told from its silhouette. */
  pose: z.enum(["standing", "lying", "floating"]).optional(),
  /** Edges of every frame against which the product was put, because the photo cuts it off there. */
  snapped: z.array(z.enum(["left", "top", "right", "bottom"])).optional(),
  shadowParts: z.array(z.enum(SHADOW_PARTS)).optional(),
  /** By how much the product was scaled, 1 not at all. Lanczos-3 in 8-bit sRGB. */
  scale: z.number(),
  productBox: Box,
  /** Product with its visible shadow. */
  contentBox: Box,
  /** The cut of each wanted export. */
  frames: z.record(z.string(), Box),
  fidelity: Fidelity,
  /** The gain that the scene's light gave the product, of linear light; the proof was made with it applied. */
  harmonised: z.object({ leastGain: z.number(), mostGain: z.number(), deltaE00P95: z.number() }).optional(),
  /** For placement \`generated\` alone: the picture holds pixels that a model made up. */
  generated: GeneratedFacts.optional(),
});
export type PlaceFacts = z.infer<typeof PlaceFacts>;

export const UpscaleFacts = z.object({
  /** By how much the picture was enlarged: a model's factor, or less where the exports use less. */
  factor: z.number().min(1),
  /** Absent for factor 1: nothing was done. */
  model: ModelUsed.optional(),
  tilePixels: z.int(),
  tiles: z.int(),
  /** The part that the model enlarged, in pixels before; the smooth set outside was interpolated. */
  detailBox: Box.optional(),
  /** What the product's pixels went through in this stage. */
  productTreatment: z.string(),
});
export type UpscaleFacts = z.infer<typeof UpscaleFacts>;
