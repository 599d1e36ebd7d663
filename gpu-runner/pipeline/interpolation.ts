/**
 * Enlarges pictures by whole factors: bicubic (Catmull-Rom), edges repeated, the centres of old and new pixels
 * aligned. A row at a time, so that a correction of a large picture needs no second one.
 */
import { clamp, firstEnlarged, type Kernels, kernelsOf, TAPS } from "./back-projection-kernels.ts";
import { newRgb, type Rgb } from "./raster.ts";

export const CHANNELS = 3;
/** Of the TAPS small pixels that a large one is made from. */
export const FOUR = [0, 1, 2, 3] as const;
export type FourWeights = [number, number, number, number];
type FourRows = [Float32Array, Float32Array, Float32Array, Float32Array];

export const fourWeights = (of: Float32Array, from: number) => FOUR.map((k) => of[from + k]) as FourWeights;

/** Interleaved RGB in floats. */
export interface Samples {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A row of RGB with room on either side for the first and the last pixel repeated. */
export interface PaddedRow {
  readonly all: Float32Array;
  readonly inner: Float32Array;
}

export function paddedRow(width: number, margin: number): PaddedRow {
  const all = new Float32Array((width + 2 * margin) * CHANNELS);
  return { all, inner: all.subarray(margin * CHANNELS, (width + margin) * CHANNELS) };
}

export function repeatEdges({ all, inner }: PaddedRow): void {
  const margin = (all.length - inner.length) / 2;
  for (let i = 0; i < margin; i++) {
    all[i] = inner[i % CHANNELS] ?? 0;
    all[margin + inner.length + i] = inner[inner.length - CHANNELS + (i % CHANNELS)] ?? 0;
  }
}

export const rowOf = ({ width, data }: Samples, y: number) =>
  data.subarray(y * width * CHANNELS, (y + 1) * width * CHANNELS);

/** One row of a picture that is enlarged by the kernels' factor, down but not across. */
export function enlargeDown(
  small: Samples,
  row: number,
  to: PaddedRow,
  { factor, enlarging }: Kernels,
): void {
  const phase = row % factor;
  const first = (row - phase) / factor + firstEnlarged(phase, factor);
  const [a, b, c, d] = FOUR.map((k) => rowOf(small, clamp(first + k, small.height))) as FourRows;
  const [p, q, r, s] = fourWeights(enlarging, phase * TAPS);
  for (let i = 0; i < to.inner.length; i++) {
    to.inner[i] = p * (a[i] as number) + q * (b[i] as number) + r * (c[i] as number) + s * (d[i] as number);
  }
  repeatEdges(to);
}

/** `bytes`, which round and clamp what they are given, lie `offset` values to the right of the row's first. */
export function addAcross(
  bytes: Uint8ClampedArray,
  { all }: PaddedRow,
  offset: number,
  { factor, enlarging }: Kernels,
): void {
  for (let phase = 0; phase < factor; phase++) {
    const [p, q, r, s] = fourWeights(enlarging, phase * TAPS);
    const first = offset + (TAPS / 2 + firstEnlarged(phase, factor)) * CHANNELS;
    for (let channel = 0; channel < CHANNELS; channel++) {
      let at = phase * CHANNELS + channel;
      for (let from = first + channel; at < bytes.length; at += factor * CHANNELS, from += CHANNELS) {
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

/** A view of a picture's bytes that rounds and clamps what it is given. */
export const clampedBytes = ({ data }: Rgb) =>
  new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);

/** The picture enlarged by `factor`, 2 or 4. */
export function interpolated(small: Rgb, factor: number): Rgb {
  const kernels = kernelsOf(factor);
  const large = newRgb(small.width * factor, small.height * factor);
  const samples = { ...small, data: new Float32Array(small.data) };
  const row = paddedRow(small.width, TAPS / 2);
  const length = large.width * CHANNELS;
  const bytes = clampedBytes(large);
  for (let y = 0; y < large.height; y++) {
    enlargeDown(samples, y, row, kernels);
    addAcross(bytes.subarray(y * length, (y + 1) * length), row, 0, kernels);
  }
  return large;
}
