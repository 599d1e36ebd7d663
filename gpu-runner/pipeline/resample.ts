import { newPlane, type Plane } from "./raster.ts";

/** Weight of a neighbour at a distance of `t` samples: Catmull-Rom, sharp and without ringing to speak of. */
function catmullRom(t: number): number {
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

/**
 * Interpolates a plane to another size (bicubic, pixel centres aligned). It does not filter: for shrinking by
 * more than a half use `shrinkPlane`.
 */
export function resizePlane(plane: Plane, width: number, height: number): Plane {
  const across = taps(plane.width, width);
  const rows = newPlane(width, plane.height);
  for (let y = 0; y < plane.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = x * 4; k < x * 4 + 4; k++) {
        sum += (plane.data[y * plane.width + (across.indexes[k] ?? 0)] ?? 0) * (across.weights[k] ?? 0);
      }
      rows.data[y * width + x] = sum;
    }
  }
  const down = taps(plane.height, height);
  const out = newPlane(width, height);
  for (let y = 0; y < height; y++) {
    for (let k = y * 4; k < y * 4 + 4; k++) {
      const from = (down.indexes[k] ?? 0) * width;
      const weight = down.weights[k] ?? 0;
      for (let x = 0; x < width; x++) {
        const to = y * width + x;
        out.data[to] = (out.data[to] ?? 0) + (rows.data[from + x] ?? 0) * weight;
      }
    }
  }
  return out;
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
