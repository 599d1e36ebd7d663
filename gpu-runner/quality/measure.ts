/**
 * What can be measured of a cut-out: how its edge runs off, how sharp it is, how much of it is burnt out or
 * black. Pure; the rest of what a score is made of is in the stages' own facts (score.ts).
 */
import * as z from "zod";
import type { Cutout } from "../pipeline/compose.ts";
import type { Alpha } from "../pipeline/raster.ts";
import { measureSharpness } from "./sharpness.ts";

/** Kept in the `segment` record's facts under `measures`. */
export const Measures = z.object({
  /** Mean width of the half-transparent band along the product's edge, in pixels of the cut-out. */
  edgeBandPixels: z.number(),
  /** Share of what can be seen of the cut-out that is opaque. */
  solidShare: z.number(),
  /** Edges of the photo that cut the product off. */
  cutOff: z.array(z.enum(["left", "top", "right", "bottom"])),
  /** Variance of the Laplacian of luma inside the product, in squared 8-bit levels. */
  laplacianVariance: z.number(),
  /**
   * Blur at the product's sharpest places, about in pixels: 0.25 to 0.5 in sharp photos, 1 and 1.5 after a Gaussian
   * of 2 and 5 pixels. Absent where nothing has an edge.
   */
  blurPixels: z.number().optional(),
  /** Share of the product that is white in all channels, and that is black in all. */
  burntShare: z.number(),
  blackShare: z.number(),
});
export type Measures = z.infer<typeof Measures>;

const SOLID = 250;
/** Less is nothing to see, more is solid. */
const BAND = { from: 8, to: 247 } as const;
const HALF = 128;
const WHITE = 253;
const BLACK = 3;

function solidShare({ data }: Alpha): number {
  let [visible, solid] = [0, 0];
  for (const opacity of data) {
    if (opacity >= BAND.from) visible++;
    if (opacity >= SOLID) solid++;
  }
  return solid / Math.max(1, visible);
}

/** How often the matte goes through one half between a pixel and the one `step` further on. */
function crossings({ width, data }: Alpha, step: number): number {
  let count = 0;
  for (let i = 0; i + step < data.length; i++) {
    if (step === 1 && (i + 1) % width === 0) continue;
    if ((data[i] ?? 0) < HALF !== (data[i + step] ?? 0) < HALF) count++;
  }
  return count;
}

/** Pixels of the band by the outline's length, inner outlines counted too; the photo's own edge is none. */
function edgeBand(alpha: Alpha): number {
  // Cauchy: over all directions, a line crosses rows and columns 4/π times for each pixel of its length.
  const outline = (Math.PI / 4) * (crossings(alpha, 1) + crossings(alpha, alpha.width));
  const band = alpha.data.reduce((sum, level) => sum + (level >= BAND.from && level <= BAND.to ? 1 : 0), 0);
  return outline === 0 ? 0 : band / outline;
}

function exposure({ colour, alpha }: Cutout): { burntShare: number; blackShare: number } {
  let [solid, burnt, black] = [0, 0, 0];
  for (let i = 0, at = 0; i < alpha.data.length; i++, at += 3) {
    if ((alpha.data[i] ?? 0) < SOLID) continue;
    solid++;
    const [r = 0, g = 0, b = 0] = [colour.data[at], colour.data[at + 1], colour.data[at + 2]];
    if (Math.min(r, g, b) >= WHITE) burnt++;
    else if (Math.max(r, g, b) <= BLACK) black++;
  }
  return { burntShare: burnt / Math.max(1, solid), blackShare: black / Math.max(1, solid) };
}

/** Measures a cut-out of the working size: colours of the photo, straight alpha. */
export function measureCutout(cutout: Cutout, cutOff: Measures["cutOff"]): Measures {
  return {
    cutOff,
    edgeBandPixels: edgeBand(cutout.alpha),
    solidShare: solidShare(cutout.alpha),
    ...measureSharpness(cutout, SOLID),
    ...exposure(cutout),
  };
}
