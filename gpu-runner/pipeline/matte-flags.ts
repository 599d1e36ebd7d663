/** What a matte says of its photo that a person should look at: measured, for whoever judges. */
import type { Box } from "#crds/runner-report.ts";
import { boxBlur } from "./blur.ts";
import { grown } from "./box.ts";
import { components } from "./components.ts";
import type { Edge } from "./matte.ts";
import { type Alpha, newPlane } from "./raster.ts";

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

function boxOf(members: Int32Array, width: number): Box {
  let [left, right, top, bottom] = [Infinity, 0, Infinity, 0];
  for (const index of members) {
    const [x, y] = [index % width, Math.floor(index / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** The parts of the matte that stand apart and are of a size, largest first. More than one: several products? */
export function productParts(alpha: Alpha): ProductPart[] {
  const parts: ProductPart[] = [];
  for (const { members } of components(alpha, (i) => (alpha.data[i] ?? 0) >= HALF)) {
    if (members.length >= alpha.data.length * 1e-4) {
      parts.push({ box: boxOf(members, alpha.width), share: members.length / alpha.data.length });
    }
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
  const box = grown(product, reach, alpha);
  const seen = newPlane(box.width, box.height);
  const at = (i: number) =>
    alpha.data[(box.y + Math.floor(i / box.width)) * alpha.width + box.x + (i % box.width)] ?? 0;
  for (let i = 0; i < seen.data.length; i++) seen.data[i] = at(i) >= SEEN ? 1 : 0;
  const near = boxBlur(seen, reach);
  let [pixels, opacity, soft] = [0, 0, 0];
  near.data.forEach((share, i) => {
    if (share < 0.9999) return;
    pixels++;
    opacity += at(i) / 255;
    if (at(i) < SOLID) soft++;
  });
  return pixels === 0
    ? { interiorAlpha: 1, softShare: 0 }
    : { interiorAlpha: opacity / pixels, softShare: soft / pixels };
}
