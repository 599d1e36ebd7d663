import { newPlane, type Plane } from "./raster.ts";

/** Means over windows of 2·radius+1 values along lines, by running sums; windows shrink at the ends. */
function blurLines(from: Float32Array, to: Float32Array, lines: Lines): void {
  const { count, length, step, lineStep, radius } = lines;
  for (let line = 0; line < count; line++) {
    const base = line * lineStep;
    let sum = 0;
    let size = 0;
    for (let i = 0; i < Math.min(radius, length); i++, size++) sum += from[base + i * step] ?? 0;
    for (let i = 0; i < length; i++) {
      if (i + radius < length) {
        sum += from[base + (i + radius) * step] ?? 0;
        size++;
      }
      if (i - radius > 0) {
        sum -= from[base + (i - radius - 1) * step] ?? 0;
        size--;
      }
      to[base + i * step] = sum / size;
    }
  }
}

interface Lines {
  readonly count: number;
  readonly length: number;
  /** Distance of neighbours along a line, and of the starts of two lines, in the array. */
  readonly step: number;
  readonly lineStep: number;
  readonly radius: number;
}

/** Box mean with whole-number radii; the same cost for every radius. Zero leaves the direction as it is. */
export function boxBlur(plane: Plane, radiusX: number, radiusY: number = radiusX): Plane {
  const { width, height } = plane;
  const rows = newPlane(width, height);
  blurLines(plane.data, rows.data, {
    count: height,
    length: width,
    step: 1,
    lineStep: width,
    radius: radiusX,
  });
  const out = newPlane(width, height);
  blurLines(rows.data, out.data, { count: width, length: height, step: width, lineStep: 1, radius: radiusY });
  return out;
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
