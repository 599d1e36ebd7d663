/** How far a matte is from the exact one. Both have one size; errors are shares of full opacity, 0..1. */
import type { Alpha } from "../../../gpu-runner/pipeline/raster.ts";

const HALF = 128;
/** The soft edge: where the exact matte is neither clear nor solid. */
const BAND = { above: 0.02 * 255, below: 0.98 * 255 };

/** Intersection over union of what is at least half opaque; 1 when both are empty. */
export function iou(got: Alpha, exact: Alpha): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < exact.data.length; i++) {
    const a = (got.data[i] ?? 0) >= HALF;
    const b = (exact.data[i] ?? 0) >= HALF;
    if (a && b) both++;
    if (a || b) either++;
  }
  return either === 0 ? 1 : both / either;
}

export function meanAbsoluteError(got: Alpha, exact: Alpha): number {
  let sum = 0;
  for (let i = 0; i < exact.data.length; i++) sum += Math.abs((got.data[i] ?? 0) - (exact.data[i] ?? 0));
  return sum / exact.data.length / 255;
}

/** 1 in the soft edge of the exact matte. */
export function softBand(exact: Alpha): Uint8Array {
  return exact.data.map((level) => (level > BAND.above && level < BAND.below ? 1 : 0));
}

/** The mean absolute error in the soft edge alone; undefined when there is none. */
export function bandError(got: Alpha, exact: Alpha): number | undefined {
  let sum = 0;
  let pixels = 0;
  softBand(exact).forEach((inBand, i) => {
    if (inBand === 0) return;
    sum += Math.abs((got.data[i] ?? 0) - (exact.data[i] ?? 0));
    pixels++;
  });
  return pixels === 0 ? undefined : sum / pixels / 255;
}
