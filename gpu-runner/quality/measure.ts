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

/** How often the matte goes through one half between a pixel and the next of its row, or of its column. */
function crossings({ width, data }: Alpha): number {
  let count = 0;
  for (let i = 0, x = 0; i < data.length; i++) {
    const isIn = (data[i] ?? 0) >= HALF;
    if (++x === width) x = 0;
    else if ((data[i + 1] ?? 0) >= HALF !== isIn) count++;
    if (i >= width && (data[i - width] ?? 0) >= HALF !== isIn) count++;
  }
  return count;
}

/**
 * Share of what can be seen that is solid; pixels of the band by the outline's length, inner outlines counted too.
 * The photo's own edge is no outline.
 */
function edgeOf(alpha: Alpha): Pick<Measures, "edgeBandPixels" | "solidShare"> {
  let [visible, solid, band] = [0, 0, 0];
  for (let i = 0; i < alpha.data.length; i++) {
    const level = alpha.data[i] ?? 0;
    if (level < BAND.from) continue;
    visible++;
    if (level >= SOLID) solid++;
    if (level <= BAND.to) band++;
  }
  // Cauchy: over all directions, a line crosses rows and columns 4/π times for each pixel of its length.
  const outline = (Math.PI / 4) * crossings(alpha);
  return {
    edgeBandPixels: outline === 0 ? 0 : band / outline,
    solidShare: solid / Math.max(1, visible),
  };
}

function exposure({ colour: { data }, alpha }: Cutout): { burntShare: number; blackShare: number } {
  const isAll = (at: number, isSo: (level: number) => boolean) =>
    isSo(data[at] ?? 0) && isSo(data[at + 1] ?? 0) && isSo(data[at + 2] ?? 0);
  const isWhite = (level: number) => level >= WHITE;
  const isBlack = (level: number) => level <= BLACK;
  let [solid, burnt, black] = [0, 0, 0];
  for (let i = 0; i < alpha.data.length; i++) {
    if ((alpha.data[i] ?? 0) < SOLID) continue;
    solid++;
    if (isAll(i * 3, isWhite)) burnt++;
    else if (isAll(i * 3, isBlack)) black++;
  }
  return { burntShare: burnt / Math.max(1, solid), blackShare: black / Math.max(1, solid) };
}

/** Measures a cut-out of the working size: colours of the photo, straight alpha. */
export function measureCutout(cutout: Cutout, cutOff: Measures["cutOff"]): Measures {
  return {
    cutOff,
    ...edgeOf(cutout.alpha),
    ...measureSharpness(cutout, SOLID),
    ...exposure(cutout),
  };
}
