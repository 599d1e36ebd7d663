/**
 * Clears what a matte shows faintly of the place behind a product: a table, a lamp, a dial that the model half took
 * for it. Such a ghost may hang together with the product by its own haze; what tells it is that it is hardly there,
 * and that nothing solid is near.
 */
import { type Component, components, forEachPixel } from "./components.ts";
import { distanceTo } from "./distance.ts";
import { eroded } from "./matte.ts";
import type { Alpha } from "./raster.ts";

/** As opaque as a product is, of 255. */
const SOLID = 128;
/** Soft edges, hair and fur end within this share of the picture's longer side from what is solid. */
const REACH = 0.02;
/** Mean opacity, of 255, under which a region is a ghost: glass and veils are more than that. */
const FAINT = 32;

function meanOf({ data }: Alpha, region: Component): number {
  let sum = 0;
  forEachPixel(region, (i) => (sum += data[i] ?? 0));
  return sum / region.pixels;
}

/** 1 where no pixel within `radius` is solid. */
function farFromSolid(alpha: Alpha, radius: number): Uint8Array {
  const clear = { ...alpha, data: alpha.data.map((level) => 255 - level) };
  return eroded(clear, { radius, atLeast: 256 - SOLID, beyond: true });
}

/** The matte without its ghosts, which fade out over the reach of soft edges; itself when it has none. */
export function clearGhosts(matte: Alpha): Alpha {
  const reach = Math.max(2, Math.round(REACH * Math.max(matte.width, matte.height)));
  const far = farFromSolid(matte, reach);
  const regions = components(matte, (i) => far[i] === 1 && (matte.data[i] ?? 0) > 0);
  const ghosts = regions.filter((region) => meanOf(matte, region) < FAINT);
  if (ghosts.length === 0) return matte;
  const alpha = { ...matte, data: Uint8Array.from(matte.data) };
  const distance = distanceTo(matte, SOLID);
  for (const ghost of ghosts) {
    forEachPixel(ghost, (i) => {
      const left = Math.max(0, 2 - (distance.data[i] ?? 0) / reach);
      alpha.data[i] = Math.round((alpha.data[i] ?? 0) * Math.min(1, left));
    });
  }
  return alpha;
}
