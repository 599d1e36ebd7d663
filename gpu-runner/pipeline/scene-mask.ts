import { distanceTo } from "./distance.ts";
import type { Alpha } from "./raster.ts";

/** Whatever shows anything of the product counts as product. */
const VISIBLE = 4;

/**
 * Where a scene is painted round a product: 0 on the product, 255 from `feather` pixels outside it, even between.
 * The product's own edge is thus never painted over half a latent cell that it shares with the scene.
 */
export function paintMask(product: Alpha, feather: number): Alpha {
  const { data, width, height } = distanceTo(product, VISIBLE);
  return { width, height, data: Uint8Array.from(data, (d) => Math.round(255 * Math.min(1, d / feather))) };
}
