/** What a matte says of its photo that a person should look at: measured, for whoever judges. */
import type { Box } from "#crds/runner-report.ts";
import { grown } from "./box.ts";
import { boxOf, components } from "./components.ts";
import { type Edge, eroded } from "./matte.ts";
import { type Alpha, cropBytes } from "./raster.ts";

const HALF = 128;

export interface ProductPart {
  readonly box: Box;
  /** Of the picture, 0..1, where the matte is at least half opaque. */
  readonly share: number;
}

/** Smaller parts belong to a larger one, as a lid or a tassel does: share of the largest part. */
const LEAST_PART = 0.1;
/** More parts than this are a pattern, and a list nobody reads. */
const MOST_PARTS = 20;

/** The parts of the matte that stand apart and are of a size, largest first. More than one: several products? */
export function productParts(alpha: Alpha): ProductPart[] {
  const parts: ProductPart[] = [];
  for (const part of components(alpha, { least: HALF, most: 255 })) {
    const share = part.pixels / alpha.data.length;
    if (share >= 1e-4) parts.push({ box: boxOf(part, alpha.width), share });
  }
  parts.sort((a, b) => b.share - a.share);
  return parts.filter(({ share }) => share >= LEAST_PART * (parts[0]?.share ?? 0)).slice(0, MOST_PARTS);
}

/** How much of each edge of the picture the product covers, 0..1: it was probably cut off there. */
export function frameContact({ width, height, data }: Alpha): Record<Edge, number> {
  const covered = (start: number, step: number, length: number) => {
    let count = 0;
    for (let i = 0; i < length; i++) if ((data[start + i * step] ?? 0) >= HALF) count++;
    return count / length;
  };
  return {
    left: covered(0, width, height),
    top: covered(0, 1, width),
    right: covered(width - 1, width, height),
    bottom: covered((height - 1) * width, 1, width),
  };
}

/** Less opaque than this is no product; more is solid. In between, away from edges, light shines through. */
const SEEN = 26;
const SOLID = 230;
/** Distance from clear and solid surroundings after which softness is no edge: share of the box's longer side. */
const EDGE_REACH = 0.015;

export interface Translucency {
  /** Mean opacity, 0..1, where the product is far from its outline; 1 where there is no such place. */
  readonly interiorAlpha: number;
  /** The share of that interior that is neither clear nor solid. */
  readonly softShare: number;
}

/** How much of the product's inside the matte leaves half open: glass, veils, or a model in doubt. */
export function translucency(alpha: Alpha, product: Box): Translucency {
  const reach = Math.max(2, Math.round(EDGE_REACH * Math.max(product.width, product.height)));
  const matte = cropBytes(alpha, grown(product, reach, alpha), 1);
  const inside = eroded(matte, { radius: reach, atLeast: SEEN, beyond: true });
  let [pixels, opacity, soft] = [0, 0, 0];
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === 0) continue;
    const level = matte.data[i] ?? 0;
    pixels++;
    opacity += level;
    if (level < SOLID) soft++;
  }
  return pixels === 0
    ? { interiorAlpha: 1, softShare: 0 }
    : { interiorAlpha: opacity / (255 * pixels), softShare: soft / pixels };
}
