/** How a brand's pictures look: placement, set, light, layout, sizes and exports. Part of an OpalJob. */
import * as z from "zod";
import { BlobRef } from "./blob-ref.ts";
import { Export } from "./stages.ts";

const HexColour = z.string().regex(/^#[0-9a-fA-F]{6}$/, "must be a colour like #f4f1ea");

export const PLACEMENTS = ["transparent", "color", "gradient", "image", "studio", "generated"] as const;
/** The studio sets, as `brand.style` names them. */
export const SET_NAMES = [
  "sweep",
  "plaster",
  "wood",
  "marble",
  "linen",
  "podium",
  "window",
  "leaves",
  "concrete",
  "terrazzo",
  "kitchen",
  "shelf",
] as const;
export type SetName = (typeof SET_NAMES)[number];

export function isSetName(name: string): name is SetName {
  return (SET_NAMES as readonly string[]).includes(name);
}

export const ANCHORS = [
  "top-left",
  "top",
  "top-right",
  "left",
  "centre",
  "right",
  "bottom-left",
  "bottom",
  "bottom-right",
] as const;

/** How the product stands in each frame; in a channel's, in the part that the channel leaves free. */
export const Layout = z.object({
  anchor: z.enum(ANCHORS).default("centre").describe("Where the product stands inside the margins."),
  fillPercent: z
    .int32()
    .min(10)
    .max(100)
    .default(80)
    .describe("How much of the room inside the margins the product fills along its tighter side."),
  marginPercent: z.int32().min(0).max(40).default(6).describe("Free border, in percent of the shorter side."),
  groundLinePercent: z
    .int32()
    .min(20)
    .max(100)
    .optional()
    .describe(
      "Where the product's foot stands, in percent of the height from the top; goes before the anchor. Where a channel covers parts of its frame, of the height that is left free.",
    ),
  snapToEdges: z
    .boolean()
    .default(true)
    .describe("A product that the photo's frame cuts off is put against the same edge of the picture."),
});

/** The parts of a shadow. */
export const SHADOW_PARTS = ["contact", "cast", "reflection"] as const;
export const POSES = ["auto", "standing", "lying", "floating"] as const;

export const Shadow = z.object({
  parts: z
    .array(z.enum(SHADOW_PARTS))
    .max(3)
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Without it, what suits the placement; an empty list is no shadow."),
  softness: z.int32().min(0).max(100).default(50).describe("0 a hard edge, 100 an overcast sky."),
  intensity: z.int32().min(0).max(100).default(50).describe("0 hardly to be seen, 100 black."),
  spread: z.int32().min(0).max(100).default(50).describe("How far the cast reaches."),
  directionDegrees: z
    .int32()
    .min(0)
    .max(359)
    .default(25)
    .describe("Where it falls, seen from above: 0 to the right, 90 towards the viewer, 180 to the left."),
  pose: z.enum(POSES).default("auto").describe("How the product meets the floor."),
});
export type Shadow = z.infer<typeof Shadow>;

export const Gradient = z.object({
  to: HexColour.describe("The colour at its end; it begins with `background`."),
  kind: z.enum(["linear", "radial"]).default("linear"),
  angleDegrees: z.int32().min(0).max(359).default(90).describe("0 to the right, 90 downwards; linear only."),
});
export type Gradient = z.infer<typeof Gradient>;

export const EXPORT_FORMATS = ["auto", "jpeg", "png", "webp", "avif"] as const;

/** A brand profile as it was when the job was accepted: later edits of the profile do not reach the job. */
export const Brand = z.object({
  placement: z.enum(PLACEMENTS).default("studio").describe("What the product is placed on."),
  // No enum: for placement `generated` it is a word of the prompt. A rule of the OpalJob checks a set's name.
  style: z
    .string()
    .max(64)
    .optional()
    .describe(
      `For placement \`studio\`: the set, one of ${SET_NAMES.join(", ")}. For \`generated\`: what {style} stands for.`,
    ),
  prompt: z.string().max(2000).optional().describe("For placement `generated`: the scene in words."),
  negativePrompt: z.string().max(2000).optional(),
  seed: z.int32().min(0).default(0).describe("The same seed and recipe give the same picture."),
  background: HexColour.optional().describe(
    "For placements `color` and `gradient`; elsewhere the main tone of the scene.",
  ),
  gradient: Gradient.optional().describe("For placement `gradient`."),
  image: BlobRef.optional().describe(
    "For placement `image`: the picture behind the product, of the same tenant.",
  ),
  palette: z.array(HexColour).max(8).default([]).describe("The brand's colours, most important first."),
  layout: Layout.optional(),
  shadow: Shadow.optional(),
  harmonisePercent: z
    .int32()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "How far the scene's light may tint the product, within a fixed budget; 0 leaves it untouched.",
    ),
  minScore: z
    .int32()
    .min(0)
    .max(100)
    .default(50)
    .describe("Pictures that score less are tried again once, and then held back for review, not billed."),
  exportFormat: z.enum(EXPORT_FORMATS).default("auto").describe("A channel's own rules go before it."),
  exportQuality: z.int32().min(1).max(100).default(90),
  upscale: z
    .int32()
    .default(2)
    .meta({ enum: [1, 2, 4] })
    .describe("Factor of the upscaling stage; 1 leaves the size."),
  exports: z
    .array(Export)
    .min(1)
    .max(16)
    .default(["1:1", "4:3", "9:16"])
    .meta({ "x-kubernetes-list-type": "set" }),
});
export type Brand = z.infer<typeof Brand>;
