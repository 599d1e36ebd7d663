/** How a product meets the ground, told from its silhouette alone. */
import { measureOf } from "./camera.ts";
import type { Alpha } from "./raster.ts";

export type Pose = "standing" | "lying" | "floating";

/** Where the silhouette meets the ground: columns [left, right) and the row of its lowest pixel. */
export interface Foot {
  readonly left: number;
  readonly right: number;
  readonly ground: number;
}

/** The whole base: from the first foot to the last, on the lowest one's ground. */
export interface Base extends Foot {
  readonly feet: readonly Foot[];
  /** Legs, or a foot whose outline runs along the ground. */
  readonly isFlat: boolean;
}

/** Opaque enough to throw a shadow. */
const SOLID = 128;
/** Legs end within this share of the measure over the lowest row: those at the back are seen higher up. */
const LEGS_SHARE = 0.3;
/** Outline within this share of the measure over a foot's lowest row belongs to the foot. */
const FOOT_SHARE = 0.06;
/** A flat foot is nearly as wide this close to its lowest row; a round one, as of a plate seen from above, is not. */
const FLAT_SHARE = 0.02;
const MIN_FLATNESS = 0.68;
/** A base must reach this share of the product's width, and of its height, to hold it up. */
const MIN_BASE_OF_WIDTH = 0.24;
const MIN_BASE_OF_HEIGHT = 0.09;

/** The lowest solid row of each column, -1 where there is none. */
function outlineBelow({ width, height, data }: Alpha): Int32Array {
  const lowest = new Int32Array(width).fill(-1);
  for (let y = height - 1; y >= 0; y--) {
    for (let x = 0; x < width; x++) {
      if ((lowest[x] ?? 0) < 0 && (data[y * width + x] ?? 0) >= SOLID) lowest[x] = y;
    }
  }
  return lowest;
}

/** The foot of the columns [from, to): those whose outline ends near the lowest of them. */
function footOf(lowest: Int32Array, from: number, to: number, tolerance: number): Foot {
  const part = lowest.subarray(from, to);
  const ground = part.reduce((most, y) => Math.max(most, y), -1);
  const first = part.findIndex((y) => ground - y < tolerance);
  const last = part.findLastIndex((y) => ground - y < tolerance);
  return { left: from + first, right: from + last + 1, ground };
}

function isFlat(lowest: Int32Array, foot: Foot, measure: number): boolean {
  const close = footOf(lowest, foot.left, foot.right, Math.max(2, Math.round(FLAT_SHARE * measure)));
  return close.right - close.left >= MIN_FLATNESS * (foot.right - foot.left);
}

/** Undefined for an empty silhouette. */
export function baseOf(silhouette: Alpha): Base | undefined {
  const lowest = outlineBelow(silhouette);
  const ground = lowest.reduce((most, y) => Math.max(most, y), -1);
  if (ground < 0) return undefined;
  const measure = measureOf(silhouette);
  const tolerance = Math.max(1, Math.round(FOOT_SHARE * measure));
  const feet: Foot[] = [];
  let from = -1;
  for (let x = 0; x <= lowest.length; x++) {
    const isFoot = x < lowest.length && ground - (lowest[x] ?? -1) < LEGS_SHARE * measure;
    if (isFoot && from < 0) from = x;
    if (isFoot || from < 0) continue;
    feet.push(footOf(lowest, from, x, tolerance));
    from = -1;
  }
  const left = feet.reduce((least, foot) => Math.min(least, foot.left), silhouette.width);
  const right = feet.reduce((most, foot) => Math.max(most, foot.right), 0);
  return {
    left,
    right,
    ground,
    feet,
    isFlat: feet.length > 1 || isFlat(lowest, { left, right, ground }, measure),
  };
}

/** The middle of the silhouette's mass, as a column. */
function centreOf({ width, data }: Alpha): number {
  let [sum, mass] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    if ((data[i] ?? 0) < SOLID) continue;
    sum += i % width;
    mass++;
  }
  return mass === 0 ? width / 2 : sum / mass;
}

/**
 * Standing, when a wide enough base lies under the middle of its mass; else it would topple: it was photographed
 * lying, from above.
 */
export function judgePose(silhouette: Alpha): Exclude<Pose, "floating"> {
  const base = baseOf(silhouette);
  if (!base) return "lying";
  const width = base.right - base.left;
  const isWide =
    width >= MIN_BASE_OF_WIDTH * silhouette.width && width >= MIN_BASE_OF_HEIGHT * silhouette.height;
  const centre = centreOf(silhouette);
  return base.isFlat && isWide && centre >= base.left && centre <= base.right ? "standing" : "lying";
}
