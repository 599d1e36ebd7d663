/** What a placed picture is held against, worked out again from its pixels. */
import type { Box } from "#crds/runner-report.ts";
import { boxWhere, intersection } from "../../../gpu-runner/pipeline/box.ts";
import { parseRatio } from "../../../gpu-runner/pipeline/layout.ts";
import { coreMask } from "../../../gpu-runner/pipeline/matte.ts";
import type { Alpha, Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { deltaE00 } from "../../../gpu-runner/pipeline/colour-difference.ts";
import { srgbToLab } from "../metrics/colour-spaces.ts";

type Frames = Readonly<Record<string, Box>>;

const inside = ({ x, y, width, height }: Box, column: number, row: number) =>
  column >= x && column < x + width && row >= y && row < y + height;

/** Pixels that are not wholly clear and lie outside one of the frames: an export would cut them off. */
export function clippedPixels(alpha: Alpha, frames: Frames): number {
  const boxes = Object.values(frames);
  let clipped = 0;
  alpha.data.forEach((level, i) => {
    if (level === 0) return;
    const [column, row] = [i % alpha.width, Math.floor(i / alpha.width)];
    if (boxes.some((box) => !inside(box, column, row))) clipped++;
  });
  return clipped;
}

/** Overlap (0..1) of the planned box and the one that the visible pixels fill. */
export function boxOverlap(alpha: Alpha, planned: Box, atLeast: number): number {
  const actual = boxWhere(alpha, (i) => (alpha.data[i] ?? 0) >= atLeast);
  if (!actual) return 0;
  const common = intersection(planned, actual);
  if (common.width <= 0 || common.height <= 0) return 0;
  const area = ({ width, height }: Box) => width * height;
  return area(common) / (area(planned) + area(actual) - area(common));
}

export interface FillRules {
  readonly fillPercent: number;
  readonly marginPercent: number;
}

/** By how many pixels the product's tighter side misses the asked share of the room inside the margins. */
export function fillError(product: Box, frames: Frames, { fillPercent, marginPercent }: FillRules): number {
  const errors = Object.entries(frames).map(([ratio, frame]) => {
    const { width, height } = parseRatio(ratio);
    const short = Math.min(width, height);
    const [across, down] = [width / short, height / short];
    const shortPixels = Math.min(frame.width / across, frame.height / down);
    const room = {
      width: frame.width - (2 * shortPixels * marginPercent) / 100,
      height: frame.height - (2 * shortPixels * marginPercent) / 100,
    };
    const wide = product.width - (room.width * fillPercent) / 100;
    const high = product.height - (room.height * fillPercent) / 100;
    return Math.abs(Math.max(wide, high));
  });
  return Math.max(...errors);
}

export interface CoreDifference {
  readonly pixels: number;
  readonly maxLevels: number;
  /** Infinity when equal. */
  readonly psnr: number;
  /** ΔE00 of each pixel that differs; the others are 0. */
  readonly differences: readonly number[];
}

/** Compares the placed product's solid inside with a reference of the product's size. */
export function compareInside(placed: Rgb, product: Box, reference: Rgb, core: Uint8Array): CoreDifference {
  let [pixels, most, squares] = [0, 0, 0];
  const differences: number[] = [];
  for (let i = 0; i < core.length; i++) {
    if (core[i] !== 1) continue;
    pixels++;
    const at =
      ((product.y + Math.floor(i / product.width)) * placed.width + product.x + (i % product.width)) * 3;
    const [got, wanted] = [placed.data.subarray(at, at + 3), reference.data.subarray(i * 3, i * 3 + 3)];
    const steps = [0, 1, 2].map((c) => Math.abs((got[c] ?? 0) - (wanted[c] ?? 0)));
    const largest = Math.max(...steps);
    most = Math.max(most, largest);
    squares += steps.reduce((sum, step) => sum + step ** 2, 0);
    if (largest > 0) differences.push(deltaE00(srgbToLab([...got]), srgbToLab([...wanted])));
  }
  const meanSquare = squares / Math.max(1, 3 * pixels);
  const psnr = meanSquare === 0 ? Infinity : 10 * Math.log10(255 ** 2 / meanSquare);
  return { pixels, maxLevels: most, psnr, differences };
}

/** The solid inside, `radius` pixels away from all that is not opaque, carried over to another size. */
export function insideAt(alpha: Alpha, size: { width: number; height: number }, radius: number): Uint8Array {
  const core = coreMask(alpha, radius);
  return Uint8Array.from({ length: size.width * size.height }, (_, i) => {
    const column = Math.floor((((i % size.width) + 0.5) * alpha.width) / size.width);
    const row = Math.floor(((Math.floor(i / size.width) + 0.5) * alpha.height) / size.height);
    return core[row * alpha.width + column] ?? 0;
  });
}
