/** How pure a white background is in a written file. Pure. */
import type { Alpha } from "../pipeline/raster.ts";
import type { WrittenFile } from "./written-file.ts";

/** A JPEG block that holds an edge rings no further than this into the white. */
export const RINGING_PIXELS = 8;

/** 1 where a pixel is within `reach` of the silhouette in its row. */
function nearInRow({ width, height, data }: Alpha, reach: number): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    let reached = y * width;
    for (let i = reached; i < (y + 1) * width; i++) {
      if ((data[i] ?? 0) === 0) continue;
      // What the last pixel has marked already is not marked again.
      const from = Math.max(reached, i - reach);
      reached = Math.min((y + 1) * width, i + reach + 1);
      out.fill(1, from, reached);
    }
  }
  return out;
}

/** 1 where a pixel is within `reach` (along rows and columns) of the silhouette. */
function near(silhouette: Alpha, reach: number): Uint8Array {
  const { width, height } = silhouette;
  const rows = nearInRow(silhouette, reach);
  const out = new Uint8Array(width * height);
  /** How many of the rows within reach are near, by column. */
  const counts = new Int32Array(width);
  for (let y = -reach; y < height; y++) {
    const [entering, leaving] = [(y + reach) * width, (y - reach - 1) * width];
    for (let x = 0; x < width; x++) {
      const count = (counts[x] ?? 0) + (rows[entering + x] ?? 0) - (rows[leaving + x] ?? 0);
      counts[x] = count;
      if (y >= 0 && count > 0) out[y * width + x] = 1;
    }
  }
  return out;
}

/** @returns the share of the background, 0..1, that is exactly 255, 255, 255; 1 where there is none. */
export function whiteShare({ rgb, width, height }: WrittenFile, silhouette: Alpha): number {
  if (silhouette.width !== width || silhouette.height !== height) return 0;
  const product = near(silhouette, RINGING_PIXELS);
  let background = 0;
  let white = 0;
  for (let i = 0, at = 0; i < product.length; i++, at += 3) {
    if (product[i] === 1) continue;
    background++;
    if (rgb[at] === 255 && rgb[at + 1] === 255 && rgb[at + 2] === 255) white++;
  }
  return background === 0 ? 1 : white / background;
}
