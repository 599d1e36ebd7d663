/**
 * Plain enlargements to compare with: Lanczos-3 and bicubic (Catmull-Rom), pixel centres aligned, edges repeated.
 * Made here because libvips enlarges by bicubic whatever kernel it is given, and moves the picture by half a pixel
 * of the result at ×2 (1.5 at ×4) while it does.
 */
import { newRgb, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";

export interface Kernel {
  /** Pixels on each side that have weight. */
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

export const LANCZOS_3: Kernel = { reach: 3, weight: (d) => (Math.abs(d) < 3 ? sinc(d) * sinc(d / 3) : 0) };

export const BICUBIC: Kernel = {
  reach: 2,
  weight: (distance) => {
    const d = Math.abs(distance);
    if (d >= 2) return 0;
    return d < 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2;
  },
};

interface Samples {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/** Enlarges along x and swaps the axes, so that doing it twice enlarges both. */
function enlargedAndTurned(
  { width, height, data }: Samples,
  factor: number,
  { reach, weight }: Kernel,
): Samples {
  const out = new Float64Array(width * factor * height * 3);
  for (let x = 0; x < width * factor; x++) {
    const centre = (x + 0.5) / factor - 0.5;
    const first = Math.floor(centre) - reach + 1;
    const taps = Array.from({ length: 2 * reach }, (_, k) => weight(centre - first - k));
    const total = taps.reduce((sum, tap) => sum + tap, 0);
    taps.forEach((tap, k) => {
      const column = Math.min(width - 1, Math.max(0, first + k));
      for (let y = 0; y < height; y++) {
        for (let c = 0; c < 3; c++) {
          const to = (x * height + y) * 3 + c;
          out[to] = (out[to] ?? 0) + ((data[(y * width + column) * 3 + c] ?? 0) * tap) / total;
        }
      }
    });
  }
  return { width: height, height: width * factor, data: out };
}

/** The picture, `factor` times as wide and high. */
export function interpolate(picture: Rgb, factor: number, kernel: Kernel): Rgb {
  const once = enlargedAndTurned({ ...picture, data: Float64Array.from(picture.data) }, factor, kernel);
  const { data } = enlargedAndTurned(once, factor, kernel);
  const out = newRgb(picture.width * factor, picture.height * factor);
  data.forEach((level, i) => (out.data[i] = Math.min(255, Math.max(0, Math.round(level)))));
  return out;
}
