/** The gradient error of alpha matting's benchmarks: do edges rise where and as steeply as they should? */
import type { Alpha } from "../../../gpu-runner/pipeline/raster.ts";

const SIGMA = 1.4;
const RADIUS = Math.ceil(3 * SIGMA);

function kernels(): { smooth: Float64Array; slope: Float64Array } {
  const at = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => i - RADIUS);
  const bell = at.map((x) => Math.exp(-(x ** 2) / (2 * SIGMA ** 2)));
  const total = bell.reduce((sum, value) => sum + value, 0);
  const smooth = Float64Array.from(bell, (value) => value / total);
  // Scaled so that a ramp of one unit a pixel has slope 1.
  const slopes = at.map((x, i) => x * (bell[i] ?? 0));
  const unit = slopes.reduce((sum, value, i) => sum + value * (at[i] ?? 0), 0);
  return { smooth, slope: Float64Array.from(slopes, (value) => value / unit) };
}

const KERNELS = kernels();

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** One-dimensional filter along a row (step 1) or a column; edges repeat. */
function filtered({ width, height, data }: Grid, kernel: Float64Array, along: "x" | "y"): Grid {
  const out = new Float64Array(width * height);
  const [step, length] = along === "x" ? [1, width] : [width, height];
  for (let i = 0; i < out.length; i++) {
    const place = along === "x" ? i % width : Math.floor(i / width);
    let sum = 0;
    for (let k = -RADIUS; k <= RADIUS; k++) {
      const to = Math.min(length - 1, Math.max(0, place + k)) - place;
      sum += (data[i + to * step] ?? 0) * (kernel[k + RADIUS] ?? 0);
    }
    out[i] = sum;
  }
  return { width, height, data: out };
}

function steepness(alpha: Alpha): Float64Array {
  const x = filtered(filtered(alpha, KERNELS.slope, "x"), KERNELS.smooth, "y").data;
  const y = filtered(filtered(alpha, KERNELS.smooth, "x"), KERNELS.slope, "y").data;
  return Float64Array.from(x, (value, i) => Math.hypot(value, y[i] ?? 0) / 255);
}

/** Squared differences of both mattes' slopes (opacity a pixel), summed over the picture, in thousands. */
export function gradientError(got: Alpha, exact: Alpha): number {
  const own = steepness(got);
  return steepness(exact).reduce((sum, value, i) => sum + (value - (own[i] ?? 0)) ** 2, 0) / 1000;
}
