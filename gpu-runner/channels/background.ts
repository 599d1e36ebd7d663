/** How pure a white background is in a written file. Pure. */
import type { Alpha } from "../pipeline/raster.ts";
import type { WrittenFile } from "./written-file.ts";

/** A JPEG block that holds an edge rings no further than this into the white. */
export const RINGING_PIXELS = 8;

/** Sums of a line's entries up to each: how many lie in a stretch is one difference. */
function anyWithin(count: number, isSet: (i: number) => boolean, reach: number): Uint8Array {
  const sums = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) sums[i + 1] = (sums[i] ?? 0) + (isSet(i) ? 1 : 0);
  return Uint8Array.from({ length: count }, (_, i) => {
    const from = sums[Math.max(0, i - reach)] ?? 0;
    return (sums[Math.min(count, i + reach + 1)] ?? 0) > from ? 1 : 0;
  });
}

/** 1 where a pixel is within `reach` (along rows and columns) of the silhouette. */
function near({ width, height, data }: Alpha, reach: number): Uint8Array {
  const rows = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    rows.set(
      anyWithin(width, (x) => (data[y * width + x] ?? 0) > 0, reach),
      y * width,
    );
  }
  const out = new Uint8Array(width * height);
  for (let x = 0; x < width; x++) {
    const column = anyWithin(height, (y) => rows[y * width + x] === 1, reach);
    for (let y = 0; y < height; y++) out[y * width + x] = column[y] ?? 0;
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
