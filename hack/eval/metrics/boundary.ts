/** Whether the outline runs where it should, however large the inside is. */
import type { Alpha } from "../../../gpu-runner/pipeline/raster.ts";

const HALF = 128;

/** 1 on pixels of the half-opaque part that have a neighbour outside it; the picture's frame is no outline. */
function outline({ width, height, data }: Alpha): Uint8Array {
  const out = new Uint8Array(width * height);
  const isOutside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && (data[y * width + x] ?? 0) < HALF;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[y * width + x] ?? 0) < HALF) continue;
      const onEdge = isOutside(x - 1, y) || isOutside(x + 1, y) || isOutside(x, y - 1) || isOutside(x, y + 1);
      if (onEdge) out[y * width + x] = 1;
    }
  }
  return out;
}

/** 1 within `radius` pixels (Euclidean) of a marked pixel. */
export function near(
  marked: Uint8Array,
  { width, height }: { width: number; height: number },
  radius: number,
): Uint8Array {
  const out = new Uint8Array(marked.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (marked[y * width + x] !== 1) continue;
      for (let dy = -radius; dy <= radius; dy++) {
        const reach = Math.floor(Math.sqrt(radius ** 2 - dy ** 2));
        if (y + dy < 0 || y + dy >= height) continue;
        const row = (y + dy) * width;
        out.fill(1, row + Math.max(0, x - reach), row + Math.min(width - 1, x + reach) + 1);
      }
    }
  }
  return out;
}

function shareIn(marked: Uint8Array, region: Uint8Array): number | undefined {
  let hits = 0;
  let all = 0;
  for (let i = 0; i < marked.length; i++) {
    if (marked[i] !== 1) continue;
    all++;
    if (region[i] === 1) hits++;
  }
  return all === 0 ? undefined : hits / all;
}

/** F measure (0..1) of outlines that lie within `tolerance` pixels of each other. */
export function boundaryF(got: Alpha, exact: Alpha, tolerance: number): number {
  const [own, wanted] = [outline(got), outline(exact)];
  const precision = shareIn(own, near(wanted, exact, tolerance));
  const recall = shareIn(wanted, near(own, exact, tolerance));
  if (precision === undefined && recall === undefined) return 1;
  const sum = (precision ?? 0) + (recall ?? 0);
  return sum === 0 ? 0 : (2 * (precision ?? 0) * (recall ?? 0)) / sum;
}
