/**
 * Clears what a matte shows faintly of the place behind a product: a table, a lamp, a dial that the model half took
 * for it. Such a ghost may hang together with the product by its own haze; what tells it is that it is hardly there,
 * and that nothing solid is near.
 */
import { grown } from "./box.ts";
import { boxOf, type Component, components, forEachPixel } from "./components.ts";
import { distanceTo } from "./distance.ts";
import { eroded } from "./matte.ts";
import { type Alpha, cropBytes } from "./raster.ts";

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

/** The matte where no pixel within `radius` is solid, clear elsewhere. */
function farFromSolid(matte: Alpha, radius: number): Alpha {
  const data = new Uint8Array(matte.data.length);
  for (let i = 0; i < data.length; i++) data[i] = 255 - (matte.data[i] as number);
  const far = eroded({ ...matte, data }, { radius, atLeast: 256 - SOLID, beyond: true });
  for (let i = 0; i < data.length; i++) data[i] = (matte.data[i] as number) * (far[i] as number);
  return { ...matte, data };
}

/** What lies within `reach` of a solid pixel stays as it is, what lies twice as far is cleared. */
function fade(alpha: Alpha, ghost: Component, matte: Alpha, reach: number): void {
  const box = grown(boxOf(ghost, matte.width), 2 * reach, matte);
  const distance = distanceTo(cropBytes(matte, box, 1), SOLID);
  forEachPixel(ghost, (i) => {
    const [x, y] = [i % matte.width, Math.floor(i / matte.width)];
    const away = distance.data[(y - box.y) * box.width + x - box.x] ?? 0;
    alpha.data[i] = Math.round((alpha.data[i] ?? 0) * Math.min(1, Math.max(0, 2 - away / reach)));
  });
}

/** The matte without its ghosts, which fade out over the reach of soft edges; itself when it has none. */
export function clearGhosts(matte: Alpha): Alpha {
  const reach = Math.max(2, Math.round(REACH * Math.max(matte.width, matte.height)));
  const regions = components(farFromSolid(matte, reach), { least: 1, most: 255 });
  const ghosts = regions.filter((region) => meanOf(matte, region) < FAINT);
  if (ghosts.length === 0) return matte;
  const alpha = { ...matte, data: Uint8Array.from(matte.data) };
  for (const ghost of ghosts) fade(alpha, ghost, matte, reach);
  return alpha;
}
