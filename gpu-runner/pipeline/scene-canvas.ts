import type { Box } from "#crds/runner-report.ts";
import type { Size } from "./layout.ts";

/** How a scene lies in a picture of one of the sizes that a model makes. */
export interface SceneCanvas {
  /** The model's picture. */
  readonly size: Size;
  /** The scene's part of it; what lies outside is made and cut off again. */
  readonly inner: Box;
}

const logRatio = ({ width, height }: Size) => Math.log(width / height);

/** The model's size whose ratio comes nearest to the scene's, the scene in its middle: never stretched, never cut. */
export function planCanvas(scene: Size, sizes: readonly Size[]): SceneCanvas {
  const [first, ...others] = sizes;
  if (!first) throw new RangeError("a model makes pictures of at least one size");
  const distance = (size: Size) => Math.abs(logRatio(size) - logRatio(scene));
  const size = others.reduce((best, one) => (distance(one) < distance(best) ? one : best), first);
  const scale = Math.min(size.width / scene.width, size.height / scene.height);
  const width = Math.max(1, Math.min(size.width, Math.round(scene.width * scale)));
  const height = Math.max(1, Math.min(size.height, Math.round(scene.height * scale)));
  const [x, y] = [Math.floor((size.width - width) / 2), Math.floor((size.height - height) / 2)];
  return { size, inner: { x, y, width, height } };
}

/** Ratios of pictures that shops ask for. */
const RATIOS = [1, 4 / 3, 3 / 4, 16 / 9, 9 / 16];

/** Sizes of about the area of a square of `native` pixels, sides multiples of `step`. */
export function usualSizes(native: number, step: number): Size[] {
  const rounded = (length: number) => Math.max(step, step * Math.round(length / step));
  return RATIOS.map((ratio) => ({
    width: rounded(native * Math.sqrt(ratio)),
    height: rounded(native / Math.sqrt(ratio)),
  }));
}
