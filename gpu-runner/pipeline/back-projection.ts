/**
 * Makes an enlarged picture agree with the small one that it was made from: shrunk again, it shall be that. A network
 * invents what lies between the pixels; what it does to the pixels themselves (a cast, a softened or an exaggerated
 * edge) is undone. What a shrunk enlargement misses is usually added back in rounds, each of which leaves less. All
 * of it is linear and works along rows and columns alone, so the sum of endless rounds is solved for, at the small size.
 */
import type { Box } from "#crds/runner-report.ts";
import { clamp, firstShrunk, type Kernels, kernelsOf, roundTrip, TAPS } from "./back-projection-kernels.ts";
import { factorised, solveColumns, solveRow } from "./banded-system.ts";
import { enlarged, grown } from "./box.ts";
import {
  addAcross,
  CHANNELS,
  clampedBytes,
  enlargeDown,
  FOUR,
  type FourWeights,
  fourWeights,
  type PaddedRow,
  paddedRow,
  repeatEdges,
  rowOf,
  type Samples,
} from "./interpolation.ts";
import type { Rgb } from "./raster.ts";

/** Small pixels beyond which the rest of a correction would not move a level. */
const REACH = 20;
type FourPairs = [Pair, Pair, Pair, Pair];
type Pair = [Uint8Array, Uint8Array];

/** The four pairs of rows that lie equally far from a pixel's middle, each with one weight, added up. */
function addPairs(to: Float32Array, rows: FourPairs, [p, q, r, s]: FourWeights): void {
  const [[a, b], [c, d], [e, f], [g, h]] = rows;
  for (let i = 0; i < to.length; i++) {
    to[i] =
      (to[i] as number) +
      p * ((a[i] as number) + (b[i] as number)) +
      q * ((c[i] as number) + (d[i] as number)) +
      r * ((e[i] as number) + (f[i] as number)) +
      s * ((g[i] as number) + (h[i] as number));
  }
}

/**
 * Takes, of each pixel's channel, the four pairs of samples that lie equally far from its middle, from the `from`-th on.
 */
function takeAcross(
  out: Float32Array,
  { all }: PaddedRow,
  { start, step, length }: { start: number; step: number; length: number },
  [p, q, r, s]: FourWeights,
): void {
  const end = (length - 1) * CHANNELS;
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (
      let i = channel, a = start + channel, z = a + end;
      i < out.length;
      i += CHANNELS, a += step, z += step
    ) {
      out[i] =
        (out[i] as number) -
        p * ((all[a] as number) + (all[z] as number)) -
        q * ((all[a + CHANNELS] as number) + (all[z - CHANNELS] as number)) -
        r * ((all[a + 2 * CHANNELS] as number) + (all[z - 2 * CHANNELS] as number)) -
        s * ((all[a + 3 * CHANNELS] as number) + (all[z - 3 * CHANNELS] as number));
    }
  }
}

/** A row of a part of a picture. */
function bytesOf({ width, data }: Rgb, { x, y, width: length }: Box, row: number): Uint8Array {
  const from = ((y + row) * width + x) * CHANNELS;
  return data.subarray(from, from + length * CHANNELS);
}

/** One row of the part of the large picture over `box`, shrunk down but not across. */
function shrinkDown(
  large: Rgb,
  box: Box,
  y: number,
  { to, kernels }: { to: PaddedRow; kernels: Kernels },
): void {
  const { factor, shrinking } = kernels;
  const first = y * factor + firstShrunk(factor);
  to.inner.fill(0);
  for (let k = 0; k < shrinking.length / 2; k += TAPS) {
    const pairs = FOUR.map((pair): Pair => [
      bytesOf(large, box, clamp(first + k + pair, box.height)),
      bytesOf(large, box, clamp(first + shrinking.length - 1 - k - pair, box.height)),
    ]) as FourPairs;
    addPairs(to.inner, pairs, fourWeights(shrinking, k));
  }
  repeatEdges(to);
}

/** What the part of the large picture misses, when it is shrunk, of the small one's. */
function missingOf(large: Rgb, small: Rgb, part: Box, kernels: Kernels): Samples {
  const { factor, shrinking } = kernels;
  const missing = { ...part, data: new Float32Array(part.width * part.height * CHANNELS) };
  const box = enlarged(part, factor);
  const row = paddedRow(box.width, -firstShrunk(factor));
  for (let y = 0; y < part.height; y++) {
    shrinkDown(large, box, y, { to: row, kernels });
    const wanted = bytesOf(small, part, y);
    const out = rowOf(missing, y);
    out.set(wanted);
    for (let k = 0; k < shrinking.length / 2; k += TAPS) {
      const span = { start: k * CHANNELS, step: factor * CHANNELS, length: shrinking.length - 2 * k };
      takeAcross(out, row, span, fourWeights(shrinking, k));
    }
  }
  return missing;
}

/** What is to be added, at the small size, so that nothing is missing any more. In place of what is missing. */
function correctionOf(missing: Samples, kernels: Kernels): Samples {
  const across = factorised(roundTrip(missing.width, kernels));
  for (let y = 0; y < missing.height; y++) solveRow(rowOf(missing, y), across);
  solveColumns(missing.data, missing.width * CHANNELS, factorised(roundTrip(missing.height, kernels)));
  return missing;
}

const wholeOf = ({ width, height }: Rgb): Box => ({ x: 0, y: 0, width, height });

/**
 * Corrects, in place, what of the large picture lies over `part` of the small one. It comes out the same whatever
 * lies more than 20 small pixels away.
 * @param large `small` enlarged by `factor`, 2 or 4.
 */
export function backProject(large: Rgb, small: Rgb, factor: number, part: Box = wholeOf(small)): void {
  const kernels = kernelsOf(factor);
  const seen = grown(part, REACH, small);
  const correction = correctionOf(missingOf(large, small, seen, kernels), kernels);
  const row = paddedRow(seen.width, TAPS / 2);
  const bytes = clampedBytes(large);
  const length = part.width * factor * CHANNELS;
  for (let y = part.y * factor; y < (part.y + part.height) * factor; y++) {
    enlargeDown(correction, y - seen.y * factor, row, kernels);
    const from = (y * large.width + part.x * factor) * CHANNELS;
    addAcross(bytes.subarray(from, from + length), row, (part.x - seen.x) * CHANNELS, kernels);
  }
}
