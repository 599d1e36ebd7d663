/**
 * Makes an enlarged picture agree with the small one that it was made from: shrunk again, it shall be that. A network
 * invents what lies between the pixels; what it does to the pixels themselves (a cast, a softened or an exaggerated
 * edge) is undone. What a shrunk enlargement misses is usually added back in rounds, each of which leaves less. All
 * of it is linear and works along rows and columns alone, so the sum of endless rounds is solved for, at the small size.
 */
import type { Box } from "#crds/runner-report.ts";
import {
  factorised,
  firstEnlarged,
  firstShrunk,
  type Kernels,
  kernelsOf,
  ROUND_REACH,
  roundTrip,
  TAPS,
  WINDOW,
} from "./back-projection-kernels.ts";
import { enlarged, grown } from "./box.ts";
import type { Rgb } from "./raster.ts";

/** Small pixels beyond which the rest of a correction would not move a level. */
const REACH = 20;
const CHANNELS = 3;
/** Of the TAPS small pixels that a large one is made from. */
const FOUR = [0, 1, 2, 3] as const;
type FourWeights = [number, number, number, number];
type FourRows = [Float32Array, Float32Array, Float32Array, Float32Array];

/** Interleaved RGB in floats. */
interface Samples {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A row of RGB with room on either side for the first and the last pixel repeated. */
interface PaddedRow {
  readonly all: Float32Array;
  readonly inner: Float32Array;
}

function paddedRow(width: number, margin: number): PaddedRow {
  const all = new Float32Array((width + 2 * margin) * CHANNELS);
  return { all, inner: all.subarray(margin * CHANNELS, (width + margin) * CHANNELS) };
}

function repeatEdges({ all, inner }: PaddedRow): void {
  const margin = (all.length - inner.length) / 2;
  for (let i = 0; i < margin; i++) {
    all[i] = inner[i % CHANNELS] ?? 0;
    all[margin + inner.length + i] = inner[inner.length - CHANNELS + (i % CHANNELS)] ?? 0;
  }
}

/** The two samples that lie equally far from a pixel's middle have one weight. */
function addPair(to: Float32Array, a: Uint8Array, b: Uint8Array, weight: number): void {
  for (let i = 0; i < to.length; i++) {
    to[i] = (to[i] as number) + weight * ((a[i] as number) + (b[i] as number));
  }
}

const clamp = (index: number, length: number) => Math.min(length - 1, Math.max(0, index));

const rowOf = ({ width, data }: Samples, y: number) =>
  data.subarray(y * width * CHANNELS, (y + 1) * width * CHANNELS);

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
  for (let k = 0; k < shrinking.length / 2; k++) {
    const above = bytesOf(large, box, clamp(first + k, box.height));
    const below = bytesOf(large, box, clamp(first + shrinking.length - 1 - k, box.height));
    addPair(to.inner, above, below, shrinking[k] ?? 0);
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
    for (let i = 0, start = 0; i < out.length; start += (factor - 1) * CHANNELS) {
      for (let channel = 0; channel < CHANNELS; channel++, i++, start++) {
        let level = wanted[i] as number;
        for (let k = 0, from = start; k < shrinking.length; k++, from += CHANNELS) {
          level -= (row.all[from] as number) * (shrinking[k] as number);
        }
        out[i] = level;
      }
    }
  }
  return missing;
}

/** Takes, for all lanes of position `i`, `weight` times what lies `steps` positions further on. */
type Take = (i: number, steps: number, weight: number) => void;

/** The two halves of solving a banded system; `factors` as `factorised` gives them. */
function substitute(positions: number, factors: Float64Array, take: Take): void {
  for (let i = 1; i < positions; i++) {
    for (let k = 1; k <= Math.min(ROUND_REACH, i); k++)
      take(i, -k, factors[i * WINDOW + ROUND_REACH - k] ?? 0);
  }
  for (let i = positions - 1; i >= 0; i--) {
    for (let k = 1; k <= Math.min(ROUND_REACH, positions - 1 - i); k++) {
      take(i, k, factors[i * WINDOW + ROUND_REACH + k] ?? 0);
    }
    // Of itself it keeps one part in so many.
    take(i, 0, 1 - 1 / (factors[i * WINDOW + ROUND_REACH] ?? 1));
  }
}

/** Solves a banded system in place, for all `lanes` values that lie side by side at each position. */
function solve(values: Float32Array, lanes: number, factors: Float64Array): void {
  substitute(values.length / lanes, factors, (i, steps, weight) => {
    const end = (i + 1) * lanes;
    for (let to = i * lanes, from = to + steps * lanes; to < end; to++, from++) {
      values[to] = (values[to] as number) - weight * (values[from] as number);
    }
  });
}

/** What is to be added, at the small size, so that nothing is missing any more. In place of what is missing. */
function correctionOf(missing: Samples, kernels: Kernels): Samples {
  const across = factorised(roundTrip(missing.width, kernels));
  for (let y = 0; y < missing.height; y++) solve(rowOf(missing, y), CHANNELS, across);
  solve(missing.data, missing.width * CHANNELS, factorised(roundTrip(missing.height, kernels)));
  return missing;
}

/** One row of the large picture's correction, before it is enlarged across. */
function enlargeDown(correction: Samples, row: number, to: PaddedRow, { factor, enlarging }: Kernels): void {
  const phase = row % factor;
  const first = (row - phase) / factor + firstEnlarged(phase, factor);
  const [a, b, c, d] = FOUR.map((k) => rowOf(correction, clamp(first + k, correction.height))) as FourRows;
  const [p, q, r, s] = FOUR.map((k) => enlarging[phase * TAPS + k]) as FourWeights;
  for (let i = 0; i < to.inner.length; i++) {
    to.inner[i] = p * (a[i] as number) + q * (b[i] as number) + r * (c[i] as number) + s * (d[i] as number);
  }
  repeatEdges(to);
}

/** `bytes`, which round and clamp what they are given, lie `offset` values to the right of the row's first. */
function addAcross(bytes: Uint8ClampedArray, { all }: PaddedRow, offset: number, kernels: Kernels): void {
  const { factor, enlarging } = kernels;
  for (let phase = 0; phase < factor; phase++) {
    const [p, q, r, s] = FOUR.map((k) => enlarging[phase * TAPS + k]) as FourWeights;
    let from = offset + (TAPS / 2 + firstEnlarged(phase, factor)) * CHANNELS;
    for (let at = phase * CHANNELS; at < bytes.length; at += (factor - 1) * CHANNELS) {
      for (let channel = 0; channel < CHANNELS; channel++, at++, from++) {
        const added =
          p * (all[from] as number) +
          q * (all[from + CHANNELS] as number) +
          r * (all[from + 2 * CHANNELS] as number) +
          s * (all[from + 3 * CHANNELS] as number);
        bytes[at] = (bytes[at] as number) + added;
      }
    }
  }
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
  const bytes = new Uint8ClampedArray(large.data.buffer, large.data.byteOffset, large.data.length);
  const length = part.width * factor * CHANNELS;
  for (let y = part.y * factor; y < (part.y + part.height) * factor; y++) {
    enlargeDown(correction, y - seen.y * factor, row, kernels);
    const from = (y * large.width + part.x * factor) * CHANNELS;
    addAcross(bytes.subarray(from, from + length), row, (part.x - seen.x) * CHANNELS, kernels);
  }
}
