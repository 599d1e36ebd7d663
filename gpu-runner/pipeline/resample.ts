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

function resampleRows(plane: Plane, width: number): Plane {
  const { indexes, weights } = taps(plane.width, width);
  const out = newPlane(width, plane.height);
  for (let y = 0; y < plane.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = x * 4; k < x * 4 + 4; k++) {
        sum += (plane.data[y * plane.width + (indexes[k] ?? 0)] ?? 0) * (weights[k] ?? 0);
      }
      out.data[y * width + x] = sum;
    }
  }
  return out;
}

/** Adds a row of one plane, weighted, to a row of another. */
function addRow(from: Plane, row: number, to: Float32Array, weight: number): void {
  const start = row * from.width;
  for (let x = 0; x < from.width; x++) to[x] = (to[x] ?? 0) + (from.data[start + x] ?? 0) * weight;
}

function resampleColumns(plane: Plane, height: number): Plane {
  const { indexes, weights } = taps(plane.height, height);
  const out = newPlane(plane.width, height);
  for (let y = 0; y < height; y++) {
    const row = out.data.subarray(y * plane.width, (y + 1) * plane.width);
    for (let k = y * 4; k < y * 4 + 4; k++) addRow(plane, indexes[k] ?? 0, row, weights[k] ?? 0);
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
