import { newPlane, type Plane } from "./raster.ts";

/** Weight of a neighbour at a distance of `t` samples: Catmull-Rom, sharp and without ringing to speak of. */
export function catmullRom(t: number): number {
  const d = Math.abs(t);
  if (d >= 2) return 0;
  return d < 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2;
}

interface Taps {
  /** Four source indexes and weights for each target position. */
  readonly indexes: Int32Array;
  readonly weights: Float32Array;
}

function taps(from: number, to: number): Taps {
  const indexes = new Int32Array(to * 4);
  const weights = new Float32Array(to * 4);
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let k = 0; k < 4; k++) {
      indexes[i * 4 + k] = Math.min(from - 1, Math.max(0, first + k));
      weights[i * 4 + k] = catmullRom(centre - first - k);
    }
  }
  return { indexes, weights };
}

function resampleRow(from: Float32Array, to: Float32Array, { indexes, weights }: Taps): void {
  for (let x = 0, k = 0; x < to.length; x++, k += 4) {
    to[x] =
      (from[indexes[k] as number] as number) * (weights[k] as number) +
      (from[indexes[k + 1] as number] as number) * (weights[k + 1] as number) +
      (from[indexes[k + 2] as number] as number) * (weights[k + 2] as number) +
      (from[indexes[k + 3] as number] as number) * (weights[k + 3] as number);
  }
}

const rowOf = ({ width, data }: Plane, y: number) => data.subarray(y * width, (y + 1) * width);

function resampleRows(plane: Plane, width: number): Plane {
  const across = taps(plane.width, width);
  const out = newPlane(width, plane.height);
  for (let y = 0; y < plane.height; y++) resampleRow(rowOf(plane, y), rowOf(out, y), across);
  return out;
}

/** Of four rows, each with its weight. */
type WeightedRow = readonly [row: Float32Array, weight: number];

function mixRows(
  to: Float32Array,
  [[a, p], [b, q], [c, r], [d, s]]: readonly [WeightedRow, WeightedRow, WeightedRow, WeightedRow],
): void {
  for (let x = 0; x < to.length; x++) {
    to[x] = (a[x] as number) * p + (b[x] as number) * q + (c[x] as number) * r + (d[x] as number) * s;
  }
}

function resampleColumns(plane: Plane, height: number): Plane {
  const { indexes, weights } = taps(plane.height, height);
  const out = newPlane(plane.width, height);
  const tap = (k: number): WeightedRow => [rowOf(plane, indexes[k] ?? 0), weights[k] ?? 0];
  for (let y = 0, k = 0; y < height; y++, k += 4) {
    mixRows(rowOf(out, y), [tap(k), tap(k + 1), tap(k + 2), tap(k + 3)]);
  }
  return out;
}

/**
 * Interpolates a plane to another size (bicubic, pixel centres aligned). It does not filter: for shrinking by
 * more than a half use `shrinkPlane`.
 */
export function resizePlane(plane: Plane, width: number, height: number): Plane {
  return resampleColumns(resampleRows(plane, width), height);
}

/** Means over blocks of `factor` × `factor` pixels; the last block of a row or column may be smaller. */
export function shrinkPlane(plane: Plane, factor: number): Plane {
  const out = newPlane(Math.ceil(plane.width / factor), Math.ceil(plane.height / factor));
  const counts = new Uint32Array(out.data.length);
  for (let y = 0, i = 0; y < plane.height; y++) {
    const row = Math.floor(y / factor) * out.width;
    for (let x = 0; x < plane.width; x++, i++) {
      const to = row + Math.floor(x / factor);
      out.data[to] = (out.data[to] ?? 0) + (plane.data[i] ?? 0);
      counts[to] = (counts[to] ?? 0) + 1;
    }
  }
  for (let i = 0; i < out.data.length; i++) out.data[i] = (out.data[i] ?? 0) / (counts[i] ?? 1);
  return out;
}
