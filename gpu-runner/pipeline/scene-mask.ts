import { distanceTo } from "./distance.ts";
import type { Alpha } from "./raster.ts";

/** Whatever shows anything of the product counts as product. */
const VISIBLE = 4;

/** The mean of a cell's pixels in each of them: a model sees one value a cell, and exporters differ in which. */
function cellMeans({ width, height, data }: Alpha, cell: number): Alpha {
  const columns = Math.ceil(width / cell);
  const sums = new Float64Array(columns * Math.ceil(height / cell));
  const counts = new Float64Array(sums.length);
  const cellOf = (i: number) => Math.floor(i / width / cell) * columns + Math.floor((i % width) / cell);
  for (const [i, level] of data.entries()) {
    sums[cellOf(i)] = (sums[cellOf(i)] ?? 0) + level;
    counts[cellOf(i)] = (counts[cellOf(i)] ?? 0) + 1;
  }
  return {
    width,
    height,
    data: data.map((_, i) => Math.round((sums[cellOf(i)] ?? 0) / (counts[cellOf(i)] ?? 1))),
  };
}

/** On which side of the product's edge painting fades over one latent cell. */
export type FadeSide = "inside" | "outside";

/** 0 where the scene stays as it is, 255 where it is painted, of each pixel. */
function faded(product: Alpha, cell: number, side: FadeSide): Uint8Array {
  if (side === "outside") {
    return Uint8Array.from(distanceTo(product, VISIBLE).data, (d) => Math.round(255 * Math.min(1, d / cell)));
  }
  const scene = { ...product, data: product.data.map((opacity) => (opacity < VISIBLE ? 255 : 0)) };
  return Uint8Array.from(distanceTo(scene, 255).data, (d) => Math.round(255 * Math.max(0, 1 - d / cell)));
}

/**
 * Where a scene is painted round a product: 0 on the product, 255 on the scene, even between, cell by cell.
 * Outside fits models that were made to paint round what they see. One that was not mixes the canvas in as far as
 * painting fades: outside the product that would be a halo of the plain set, so there it fades inside, under the
 * product that is laid on later.
 * @param cell pixels a side of a latent cell
 */
export function paintMask(product: Alpha, cell: number, side: FadeSide): Alpha {
  const { width, height } = product;
  return cellMeans({ width, height, data: faded(product, cell, side) }, cell);
}
