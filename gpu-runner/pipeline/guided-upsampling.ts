/**
 * Scores that a model gave for a photo made smaller, at the photo's own size: along edges they follow the photo's
 * pixels, which interpolation of the scores alone knows nothing of (He, Sun: Fast Guided Filter, arXiv 1505.00996).
 * Pure.
 */
import { type LinearTaps, linearTaps } from "./linear-taps.ts";
import type { Plane, Rgb } from "./raster.ts";
import { resizePlane } from "./resample.ts";
import { LINE, scoreBy, type ScoreLines, scoreLines } from "./score-lines.ts";

/** Enlarged by less than this, scores gain nothing: the model has seen what the photo shows. */
const LEAST_ENLARGED = 1.05;

const tapsFor = (short: number, long: number): LinearTaps =>
  linearTaps(long, short, (i) => ((i + 0.5) * short) / long - 0.5);

/** A row of the photo, between two rows of the small picture. */
interface Row {
  readonly scores: Float32Array;
  readonly colours: Uint8Array;
  /** Where the two begin, and how much the lower one counts. */
  readonly top: number;
  readonly bottom: number;
  readonly down: number;
}

/** Draws the lines over what was interpolated. It makes no objects: most pixels of a photo pass through it. */
function drawRow(
  { scores, colours, top, bottom, down }: Row,
  { flat, values }: ScoreLines,
  taps: LinearTaps,
): void {
  for (let x = 0; x < scores.length; x++) {
    const left = taps.first[x] as number;
    const right = taps.second[x] as number;
    if (flat[top + left] && flat[top + right] && flat[bottom + left] && flat[bottom + right]) continue;
    const across = taps.share[x] as number;
    const above =
      scoreBy(values, (top + left) * LINE, colours, x * 3) * (1 - across) +
      scoreBy(values, (top + right) * LINE, colours, x * 3) * across;
    const below =
      scoreBy(values, (bottom + left) * LINE, colours, x * 3) * (1 - across) +
      scoreBy(values, (bottom + right) * LINE, colours, x * 3) * across;
    scores[x] = Math.max(0, Math.min(1, above * (1 - down) + below * down));
  }
}

/**
 * @param scores 0..1 of `seen`, of its size
 * @param seen the photo as the model was shown it
 * @returns scores 0..1 of the photo's size
 */
export function guidedUpsampling(scores: Plane, seen: Rgb, photo: Rgb): Plane {
  const { width, height } = photo;
  const out = resizePlane(scores, width, height);
  if (Math.max(width / seen.width, height / seen.height) < LEAST_ENLARGED) return out;
  const lines = scoreLines(seen, scores);
  const across = tapsFor(seen.width, width);
  const rows = tapsFor(seen.height, height);
  for (let y = 0; y < height; y++) {
    const row = {
      scores: out.data.subarray(y * width, (y + 1) * width),
      colours: photo.data.subarray(y * width * 3, (y + 1) * width * 3),
      top: (rows.first[y] as number) * seen.width,
      bottom: (rows.second[y] as number) * seen.width,
      down: rows.share[y] as number,
    };
    drawRow(row, lines, across);
  }
  return out;
}
