import { type Alpha, newPlane, type Plane } from "./raster.ts";

const FAR = 1e6;
const DIAGONAL = Math.SQRT2;

/** One row of it: `before` is the row that was swept before. */
function sweepRow(row: Float32Array, before: Float32Array | undefined, direction: 1 | -1): void {
  const end = row.length;
  for (let n = 0, x = direction === 1 ? 0 : end - 1; n < end; n++, x += direction) {
    let least = row[x] as number;
    if (n > 0) least = Math.min(least, (row[x - direction] as number) + 1);
    if (before) {
      least = Math.min(least, (before[x] as number) + 1);
      if (n > 0) least = Math.min(least, (before[x - direction] as number) + DIAGONAL);
      if (n < end - 1) least = Math.min(least, (before[x + direction] as number) + DIAGONAL);
    }
    row[x] = least;
  }
}

/** One way over the picture: the least of a pixel's distance and its earlier neighbours' plus the step to them. */
function sweep({ width, height, data }: Plane, direction: 1 | -1): void {
  let before: Float32Array | undefined;
  for (let n = 0, y = direction === 1 ? 0 : height - 1; n < height; n++, y += direction) {
    const row = data.subarray(y * width, (y + 1) * width);
    sweepRow(row, before, direction);
    before = row;
  }
}

/** How far each pixel lies from the nearest of at least `opacity` (0..255), in pixels; within 8 % of the truth. */
export function distanceTo(alpha: Alpha, opacity: number): Plane {
  const distance = newPlane(alpha.width, alpha.height);
  for (let i = 0; i < distance.data.length; i++) distance.data[i] = (alpha.data[i] ?? 0) >= opacity ? 0 : FAR;
  sweep(distance, 1);
  sweep(distance, -1);
  return distance;
}
