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

/**
 * Where a scene is painted round a product: 0 on the product, 255 from one latent cell outside it, even between,
 * cell by cell. Cells that the product shares with the scene are thus neither kept nor painted over wholly.
 * @param cell pixels a side of a latent cell
 */
export function paintMask(product: Alpha, cell: number): Alpha {
  const { data, width, height } = distanceTo(product, VISIBLE);
  const faded = Uint8Array.from(data, (d) => Math.round(255 * Math.min(1, d / cell)));
  return cellMeans({ width, height, data: faded }, cell);
}
