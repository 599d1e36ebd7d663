/** The product mirrored in a polished floor: weaker and softer with the height of what is mirrored. */
import type { Box } from "#crds/runner-report.ts";
import { softBlur } from "./blur.ts";
import { measureOf } from "./camera.ts";
import type { Cutout } from "./compose.ts";
import { toLinear } from "./linear-light.ts";
import { baseOf } from "./pose.ts";
import { newPlane, type Plane } from "./raster.ts";
import type { Background } from "./studio-set.ts";

/** How much of the product's measure is mirrored. */
const DEPTH = 0.32;

export interface Reflection {
  /** First row below the product's box's top at which it begins. */
  readonly from: number;
  /** Light of each channel times its share, and the share, 0..1; as wide as the product. */
  readonly channels: readonly [Plane, Plane, Plane];
  readonly share: Plane;
}

/** `strength` 0..1 of a mirror. Undefined for an empty cut-out. */
export function makeReflection({ colour, alpha }: Cutout, strength: number): Reflection | undefined {
  const base = baseOf(alpha);
  if (!base) return undefined;
  const { width } = alpha;
  const height = Math.min(base.ground + 1, Math.max(1, Math.round(DEPTH * measureOf(alpha))));
  const planes = [0, 1, 2, 3].map(() => newPlane(width, height));
  for (let y = 0, i = 0; y < height; y++) {
    const row = base.ground - y;
    const fading = strength * (1 - y / height) ** 1.7;
    for (let x = 0; x < width; x++, i++) {
      const at = row * width + x;
      const share = (fading * (alpha.data[at] ?? 0)) / 255;
      planes.forEach((plane, c) => {
        plane.data[i] = share * (c === 3 ? 1 : toLinear(colour.data[at * 3 + c] ?? 0));
      });
    }
  }
  const sigma = 0.004 * measureOf(alpha);
  const [red, green, blue, share] = planes.map((plane) => softBlur(plane, sigma, 1.6 * sigma));
  return red && green && blue && share
    ? { from: base.ground + 1, channels: [red, green, blue], share }
    : undefined;
}

/** Lays the reflection on the background, in place. */
export function reflect(background: Background, reflection: Reflection, product: Box): void {
  const { channels, share } = reflection;
  for (let y = 0, i = 0; y < share.height; y++) {
    const row = product.y + reflection.from + y;
    for (let x = 0; x < share.width; x++, i++) {
      const column = product.x + x;
      if (row >= background.height || column >= background.width) continue;
      const receives = background.receives?.(column, row) ?? 1;
      const at = (row * background.width + column) * 3;
      channels.forEach((plane, c) => {
        const behind = background.data[at + c] ?? 0;
        background.data[at + c] = behind + receives * ((plane.data[i] ?? 0) - behind * (share.data[i] ?? 0));
      });
    }
  }
}
