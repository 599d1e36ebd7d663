import { components, countIn } from "./components.ts";
import type { Alpha } from "./raster.ts";

const SOLID = 128;

/**
 * How much larger the product looks than it is, as a share of its area: what a segmenter takes for it beyond its
 * own matte, as far as it hangs together with it. Things that stand apart are the scene's. Both of one size.
 */
export function expansionOf(product: Alpha, seen: Alpha): number {
  const both = { ...product, data: product.data.map((level, i) => Math.max(level, seen.data[i] ?? 0)) };
  let [own, beyond] = [0, 0];
  for (const group of components(both, { least: SOLID, most: 255 })) {
    const inside = countIn(group, (i) => (product.data[i] ?? 0) >= SOLID);
    own += inside;
    if (inside > 0) beyond += group.pixels - inside;
  }
  return own === 0 ? 0 : beyond / own;
}
