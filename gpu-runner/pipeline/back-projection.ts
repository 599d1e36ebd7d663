/**
 * Makes an enlarged picture agree with the small one that it was made from: it is shrunk again, and what then
 * differs from the small picture is added back, a few times over. A network invents what lies between the
 * pixels; what it does to the pixels themselves (a cast, a softened or an exaggerated edge) is undone.
 *
 * Shrinking and enlarging are linear, so all rounds are reckoned at the small size, and the large picture is read
 * once and written once.
 */
import type { Box } from "#crds/runner-report.ts";
import {
  firstEnlarged,
  firstShrunk,
  type Kernels,
  kernelsOf,
  ROUND_REACH,
  roundTrip,
  TAPS,
} from "./back-projection-kernels.ts";
import { grown } from "./box.ts";
import type { Rgb } from "./raster.ts";

/** More gain nothing to speak of: the fourth adds less than 0.05 dB. */
const ROUNDS = 3;
/** As far as the correction of a pixel looks, in pixels of the small picture. */
const REACH = 12;
const CHANNELS = 3;

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

function addWeighted(to: Float32Array, from: Uint8Array | Float32Array, weight: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + (from[i] ?? 0) * weight;
}

const clamp = (index: number, length: number) => Math.min(length - 1, Math.max(0, index));

const rowOf = ({ width, data }: Samples, y: number) =>
  data.subarray(y * width * CHANNELS, (y + 1) * width * CHANNELS);

/** The part of a picture of which all is reckoned, and its size. */
function bytesOf({ width, data }: Rgb, { x, y, width: length }: Box, row: number): Uint8Array {
  const from = ((y + row) * width + x) * CHANNELS;
  return data.subarray(from, from + length * CHANNELS);
}

/** What the part of the large picture misses, when it is shrunk, of the small one's. */
function missingOf(large: Rgb, small: Rgb, part: Box, { factor, shrinking }: Kernels): Samples {
  const { width, height } = part;
  const missing = { width, height, data: new Float32Array(width * height * CHANNELS) };
  const inLarge = {
    x: part.x * factor,
    y: part.y * factor,
    width: width * factor,
    height: height * factor,
  };
  const margin = -firstShrunk(factor);
  const column = paddedRow(inLarge.width, margin);
  for (let y = 0; y < height; y++) {
    column.inner.fill(0);
    for (let k = 0; k < shrinking.length; k++) {
      const row = clamp(y * factor - margin + k, inLarge.height);
      addWeighted(column.inner, bytesOf(large, inLarge, row), shrinking[k] ?? 0);
    }
    repeatEdges(column);
    const wanted = bytesOf(small, part, y);
    const out = rowOf(missing, y);
    for (let i = 0; i < out.length; i++) {
      const channel = i % CHANNELS;
      let from = (i - channel) * factor + channel;
      let seen = 0;
      for (let k = 0; k < shrinking.length; k++, from += CHANNELS) {
        seen += (column.all[from] ?? 0) * (shrinking[k] ?? 0);
      }
      out[i] = (wanted[i] ?? 0) - seen;
    }
  }
  return missing;
}

/** The samples enlarged and shrunk again, along the rows. */
function roundTripAcross(samples: Samples, weights: Float32Array): Samples {
  const { width, height } = samples;
  const out = { width, height, data: new Float32Array(samples.data.length) };
  const window = 2 * ROUND_REACH + 1;
  const padded = paddedRow(width, ROUND_REACH);
  for (let y = 0; y < height; y++) {
    padded.inner.set(rowOf(samples, y));
    const row = rowOf(out, y);
    for (let x = 0, i = 0; x < width; x++) {
      for (let channel = 0; channel < CHANNELS; channel++, i++) {
        let sum = 0;
        for (let k = 0, from = i; k < window; k++, from += CHANNELS) {
          sum += (padded.all[from] ?? 0) * (weights[x * window + k] ?? 0);
        }
        row[i] = sum;
      }
    }
  }
  return out;
}

/** Takes from the samples what comes back of them when they are enlarged and shrunk again: what stays is missing. */
function leaveMissing(samples: Samples, across: Float32Array, down: Float32Array): void {
  const halfway = roundTripAcross(samples, across);
  const window = 2 * ROUND_REACH + 1;
  for (let y = 0; y < samples.height; y++) {
    const row = rowOf(samples, y);
    for (let k = 0; k < window; k++) {
      const weight = down[y * window + k] ?? 0;
      if (weight !== 0) addWeighted(row, rowOf(halfway, y + k - ROUND_REACH), -weight);
    }
  }
}

/** The sum of what all rounds add, at the small size. */
function correctionOf(missing: Samples, kernels: Kernels): Samples {
  const [across, down] = [roundTrip(missing.width, kernels), roundTrip(missing.height, kernels)];
  const sum = { ...missing, data: missing.data.slice() };
  for (let round = 1; round < ROUNDS; round++) {
    leaveMissing(missing, across, down);
    addWeighted(sum.data, missing.data, 1);
  }
  return sum;
}

/** One row of the large picture's correction, before it is enlarged across. */
function enlargeDown(correction: Samples, row: number, to: PaddedRow, { factor, enlarging }: Kernels): void {
  const phase = row % factor;
  const first = (row - phase) / factor + firstEnlarged(phase, factor);
  to.inner.fill(0);
  for (let k = 0; k < TAPS; k++) {
    addWeighted(
      to.inner,
      rowOf(correction, clamp(first + k, correction.height)),
      enlarging[phase * TAPS + k] ?? 0,
    );
  }
  repeatEdges(to);
}

/** `bytes`, which round and clamp what they are given, lie `offset` values to the right of the row's first. */
function addAcross(bytes: Uint8ClampedArray, row: PaddedRow, offset: number, kernels: Kernels): void {
  const { factor, enlarging } = kernels;
  for (let phase = 0; phase < factor; phase++) {
    const weights = enlarging.subarray(phase * TAPS, (phase + 1) * TAPS);
    let from = offset + (TAPS / 2 + firstEnlarged(phase, factor)) * CHANNELS;
    for (let at = phase * CHANNELS; at < bytes.length; at += (factor - 1) * CHANNELS) {
      for (let channel = 0; channel < CHANNELS; channel++, at++, from++) {
        let level = bytes[at] ?? 0;
        for (let k = 0; k < TAPS; k++) level += (weights[k] ?? 0) * (row.all[from + k * CHANNELS] ?? 0);
        bytes[at] = level;
      }
    }
  }
}

const wholeOf = ({ width, height }: Rgb): Box => ({ x: 0, y: 0, width, height });

/**
 * Corrects, in place, what of the large picture lies over `part` of the small one. It comes out the same whatever
 * lies more than 12 small pixels away.
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
