/** The product mirrored in a polished floor: weaker and softer with the height of what is mirrored. */
import type { Box } from "#crds/runner-report.ts";
import { softBlur } from "./blur.ts";
import { measureOf } from "./camera.ts";
import type { Cutout } from "./compose.ts";
import { toLinear } from "./linear-light.ts";
import { type Base, baseOf } from "./pose.ts";
import { type Alpha, newPlane, type Plane } from "./raster.ts";
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

/** The outline within this share of the measure over its foot's lowest row stands on the floor. */
const STANDS = 0.06;
const SOLID = 128;

/** For each column the row on which its own outline stands on a foot, -1 where it does not. */
function standingRows({ width, data }: Alpha, { feet }: Base, reach: number): Int32Array {
  const rows = new Int32Array(width).fill(-1);
  for (const { left, right, ground } of feet) {
    for (let x = left; x < right; x++) {
      let y = ground;
      while (y > ground - reach && (data[y * width + x] ?? 0) < SOLID) y--;
      if (y > ground - reach) rows[x] = y;
    }
  }
  return rows;
}

/**
 * The row of the floor at which each column is mirrored: where its own outline stands, so that a round foot's
 * reflection hangs together with it all round; beside the feet, as at the nearest column that stands.
 */
function mirrorLine(alpha: Alpha, base: Base, reach: number): Int32Array {
  const rows = standingRows(alpha, base, reach);
  const line = rows.slice();
  const nearest = new Int32Array(alpha.width).fill(alpha.width);
  for (const step of [1, -1]) {
    let [row, away] = [base.ground, alpha.width];
    for (let x = step === 1 ? 0 : alpha.width - 1; x >= 0 && x < alpha.width; x += step) {
      const own = rows[x] ?? -1;
      [row, away] = own >= 0 ? [own, 0] : [row, away + 1];
      if (away >= (nearest[x] ?? 0)) continue;
      nearest[x] = away;
      line[x] = row;
    }
  }
  return line.map((row) => (row < 0 ? base.ground : row));
}

interface Mirror {
  readonly line: Int32Array;
  /** Rows: the first one below the product's highest place on the line, and how far down it is seen. */
  readonly from: number;
  readonly depth: number;
  readonly strength: number;
}

/** Writes pixel `i`, `x` columns and `y` rows into the reflection, to the planes of the channels and the share. */
function mirrorPixel(
  planes: readonly Plane[],
  { colour, alpha }: Cutout,
  { line, from, depth, strength }: Mirror,
  [x, y, i]: readonly [number, number, number],
): void {
  const axis = line[x] ?? 0;
  // Above its line a column repeats what stands on it: hidden by the product, and there for the blur.
  const up = Math.max(0, from + y - 1 - axis);
  if (up > axis || up >= depth) return;
  const at = (axis - up) * alpha.width + x;
  const share = (strength * (1 - up / depth) ** 1.7 * (alpha.data[at] ?? 0)) / 255;
  planes.forEach((plane, c) => {
    plane.data[i] = share * (c === 3 ? 1 : toLinear(colour.data[at * 3 + c] ?? 0));
  });
}

/** `strength` 0..1 of a mirror. Undefined for an empty cut-out. */
export function makeReflection(cutout: Cutout, strength: number): Reflection | undefined {
  const { alpha } = cutout;
  const base = baseOf(alpha);
  if (!base) return undefined;
  const measure = measureOf(alpha);
  const line = mirrorLine(alpha, base, Math.max(1, Math.round(STANDS * measure)));
  const from = line.reduce((least, row) => Math.min(least, row), base.ground) + 1;
  const depth = Math.min(base.ground + 1, Math.max(1, Math.round(DEPTH * measure)));
  const height = base.ground + 1 - from + depth;
  const planes = [0, 1, 2, 3].map(() => newPlane(alpha.width, height));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < alpha.width; x++, i++) {
      mirrorPixel(planes, cutout, { line, from, depth, strength }, [x, y, i]);
    }
  }
  const sigma = 0.004 * measure;
  const [red, green, blue, share] = planes.map((plane) => softBlur(plane, sigma, 1.6 * sigma));
  return red && green && blue && share ? { from, channels: [red, green, blue], share } : undefined;
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
