/** How well an enlargement restores a picture, and whether tiles show. */
import type { Rgb } from "../../../gpu-runner/pipeline/raster.ts";

/** Brightness of BT.601, 0..255, of one pixel. */
export function brightness({ data }: Rgb, pixel: number): number {
  const i = pixel * 3;
  return 0.299 * (data[i] ?? 0) + 0.587 * (data[i + 1] ?? 0) + 0.114 * (data[i + 2] ?? 0);
}

/** Peak signal to noise ratio of the brightness in dB, without `border` pixels on each side; Infinity if equal. */
export function brightnessPsnr(got: Rgb, exact: Rgb, border: number): number {
  let sum = 0;
  let count = 0;
  for (let y = border; y < exact.height - border; y++) {
    for (let x = border; x < exact.width - border; x++, count++) {
      const i = y * exact.width + x;
      sum += (brightness(got, i) - brightness(exact, i)) ** 2;
    }
  }
  return sum === 0 ? Infinity : 10 * Math.log10(255 ** 2 / (sum / count));
}

/** Mean steps of brightness between neighbours, across the given column borders and everywhere else. */
function steps(picture: Rgb, isBorder: (x: number) => boolean): { across: number; elsewhere: number } {
  const sums = { across: 0, elsewhere: 0 };
  const counts = { across: 0, elsewhere: 0 };
  for (let y = 0; y < picture.height; y++) {
    for (let x = 1; x < picture.width; x++) {
      const i = y * picture.width + x;
      const where = isBorder(x) ? "across" : "elsewhere";
      sums[where] += Math.abs(brightness(picture, i) - brightness(picture, i - 1));
      counts[where]++;
    }
  }
  return { across: sums.across / counts.across, elsewhere: sums.elsewhere / counts.elsewhere };
}

/**
 * By how much the picture changes more across the borders of tiles (columns that are multiples of `step`) than
 * elsewhere, relative to the same picture made in one piece: 1 when no seam shows.
 */
export function seamRatio(tiled: Rgb, whole: Rgb, step: number): number {
  const isBorder = (x: number) => x % step === 0;
  const [own, wanted] = [steps(tiled, isBorder), steps(whole, isBorder)];
  return own.across / own.elsewhere / (wanted.across / wanted.elsewhere);
}

export function largestDifference(a: Rgb, b: Rgb): number {
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? 0))), 0);
}
