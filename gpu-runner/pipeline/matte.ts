import type { Box } from "#crds/runner-report.ts";
import { boxWhere } from "./box.ts";
import type { Alpha, Plane } from "./raster.ts";

/**
 * Raw scores of the segmentation model, 0..1, are judged before they become a matte. On empty pictures the
 * largest score seen is 0.044; on products it reaches 1.0. The bar stands far from both.
 */
const MIN_PRODUCT_SCORE = 0.5;
/** A product covers at least this share of the picture, counted where the score is over one half. */
const MIN_PRODUCT_SHARE = 0.0005;

/** Scores below are haze and become transparent; scores above are solid; between, the scale is stretched. */
const HAZE = 0.03;
const SOLID = 0.97;

export interface ProductVerdict {
  readonly found: boolean;
  /** The largest raw score. */
  readonly score: number;
  /** Share of pixels whose score is over one half. */
  readonly coverage: number;
}

/** Tells a product from an empty picture by the model's raw scores (never stretched to their own maximum). */
export function judgeScores(scores: Plane): ProductVerdict {
  let score = 0;
  let covered = 0;
  // Not `of`: it makes an object of every score.
  for (let i = 0; i < scores.data.length; i++) {
    const value = scores.data[i] ?? 0;
    if (value > score) score = value;
    if (value > 0.5) covered++;
  }
  const coverage = covered / scores.data.length;
  return { found: score >= MIN_PRODUCT_SCORE && coverage >= MIN_PRODUCT_SHARE, score, coverage };
}

/** The soft matte of raw scores: edges keep their softness, haze and near-solid become clean. */
export function toAlpha(scores: Plane): Alpha {
  // It rounds and clamps what it is given.
  const levels = new Uint8ClampedArray(scores.data.length);
  for (let i = 0; i < levels.length; i++) {
    levels[i] = ((scores.data[i] ?? 0) - HAZE) * (255 / (SOLID - HAZE));
  }
  return { width: scores.width, height: scores.height, data: new Uint8Array(levels.buffer) };
}

/** The box of all pixels at least as opaque as `atLeast` (1..255). */
export function alphaBox(alpha: Alpha, atLeast: number): Box | undefined {
  return boxWhere(alpha, (i) => (alpha.data[i] ?? 0) >= atLeast);
}

export type Edge = "left" | "top" | "right" | "bottom";

/** Which edges of the picture the product reaches: it was probably cut off there. */
export function touchedEdges(alpha: Alpha, box: Box): Edge[] {
  const edges: Edge[] = [];
  if (box.x === 0) edges.push("left");
  if (box.y === 0) edges.push("top");
  if (box.x + box.width === alpha.width) edges.push("right");
  if (box.y + box.height === alpha.height) edges.push("bottom");
  return edges;
}

/** True inside the product at least `radius` pixels (square distance) from everything not fully opaque. */
export function coreMask(alpha: Alpha, radius: number): Uint8Array {
  return eroded(alpha, { radius, atLeast: 255, beyond: false });
}

export interface Erosion {
  /** In pixels, square distance. */
  readonly radius: number;
  /** The least level that is inside. */
  readonly atLeast: number;
  /** Whether what lies beyond the picture is inside, too. */
  readonly beyond: boolean;
}

/** 1 where the whole window of 2·radius+1 pixels each way is inside, else 0. */
export function eroded({ width, height, data }: Alpha, { radius, atLeast, beyond }: Erosion): Uint8Array {
  const out = new Uint8Array(width * height);
  const window = 2 * radius + 1;
  // Rows in which a column was inside without a break, up to the one at hand.
  const depths = new Int32Array(width).fill(beyond ? radius : 0);
  const last = beyond ? height + radius : height;
  const row = new Uint8Array(width);
  for (let y = 0; y < last; y++) {
    if (y < height) erodeRow(data.subarray(y * width, (y + 1) * width), row, { radius, atLeast, beyond });
    else row.fill(1);
    const to = (y - radius) * width;
    for (let x = 0; x < width; x++) {
      const depth = row[x] === 1 ? (depths[x] ?? 0) + 1 : 0;
      depths[x] = depth;
      if (depth >= window && to >= 0) out[to + x] = 1;
    }
  }
  return out;
}

function erodeRow(from: Uint8Array, to: Uint8Array, { radius, atLeast, beyond }: Erosion): void {
  to.fill(0);
  const end = beyond ? from.length + radius : from.length;
  let run = beyond ? radius : 0;
  for (let x = 0; x < end; x++) {
    run = x >= from.length || (from[x] ?? 0) >= atLeast ? run + 1 : 0;
    if (run > 2 * radius && x >= radius) to[x - radius] = 1;
  }
}
