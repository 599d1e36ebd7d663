import { newPlane, type Plane } from "./raster.ts";

/** Means over windows of 2·radius+1 values along rows, by running sums; windows shrink at the ends. */
function blurRows({ width, height, data: from }: Plane, radius: number): Plane {
  const out = newPlane(width, height);
  for (let y = 0, base = 0; y < height; y++, base += width) {
    let sum = 0;
    let size = Math.min(radius, width);
    for (let x = 0; x < size; x++) sum += from[base + x] ?? 0;
    for (let x = 0; x < width; x++) {
      if (x + radius < width) {
        sum += from[base + x + radius] ?? 0;
        size++;
      }
      if (x - radius > 0) {
        sum -= from[base + x - radius - 1] ?? 0;
        size--;
      }
      out.data[base + x] = sum / size;
    }
  }
  return out;
}

/** Adds a row to running sums; its values one by one, as along a row, so that both directions round alike. */
function addRow(sums: Float64Array, row: Float32Array, sign: 1 | -1): void {
  for (let x = 0; x < sums.length; x++) sums[x] = (sums[x] ?? 0) + sign * (row[x] ?? 0);
}

/** The same along columns, a whole row at a time: columns one by one would miss the cache at every step. */
function blurColumns({ width, height, data: from }: Plane, radius: number): Plane {
  const out = newPlane(width, height);
  const sums = new Float64Array(width);
  const row = (y: number) => from.subarray(y * width, (y + 1) * width);
  let size = Math.min(radius, height);
  for (let y = 0; y < size; y++) addRow(sums, row(y), 1);
  for (let y = 0, to = 0; y < height; y++) {
    if (y + radius < height) {
      addRow(sums, row(y + radius), 1);
      size++;
    }
    if (y - radius > 0) {
      addRow(sums, row(y - radius - 1), -1);
      size--;
    }
    for (let x = 0; x < width; x++, to++) out.data[to] = (sums[x] ?? 0) / size;
  }
  return out;
}

/** Box mean with whole-number radii; the same cost for every radius. Zero leaves the direction as it is. */
export function boxBlur(plane: Plane, radiusX: number, radiusY: number = radiusX): Plane {
  return blurColumns(blurRows(plane, radiusX), radiusY);
}

/** The radius of a box whose three-fold blur has about the standard deviation `sigma`. */
function boxRadius(sigma: number): number {
  return Math.max(0, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2));
}

/** A Gaussian of the given standard deviations in pixels, as three box means. */
export function softBlur(plane: Plane, sigmaX: number, sigmaY: number = sigmaX): Plane {
  let out = plane;
  for (let pass = 0; pass < 3; pass++) out = boxBlur(out, boxRadius(sigmaX), boxRadius(sigmaY));
  return out;
}
