import type { Cutout } from "../pipeline/compose.ts";
import type { Rgb } from "../pipeline/raster.ts";

/** Side of the squares that are looked at one by one. */
const BLOCK = 16;
/** A slope of fewer levels a pixel is shading: how sharp it is cannot be told. */
const MIN_SLOPE = 10;
/** Fewer squares with an edge in them are no ground for a judgement. */
const MIN_BLOCKS = 6;
/** A product may lie out of focus in part: its sharpest fifth counts. */
const SHARPEST = 0.2;

export interface Sharpness {
  readonly laplacianVariance: number;
  readonly blurPixels?: number;
}

function lumaOf({ data }: Rgb): Float32Array {
  const luma = new Float32Array(data.length / 3);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3) {
    luma[i] = 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0);
  }
  return luma;
}

/** Sums over a square that lies inside the product as a whole. */
interface Block {
  readonly slopes: number;
  readonly steepest: number;
  readonly bends: number;
  readonly bendSum: number;
}

class Field {
  readonly #luma: Float32Array;
  readonly #alpha: Uint8Array;
  readonly #solid: number;
  readonly width: number;
  readonly height: number;

  constructor({ colour, alpha }: Cutout, solid: number) {
    this.#luma = lumaOf(colour);
    this.#alpha = alpha.data;
    this.#solid = solid;
    this.width = alpha.width;
    this.height = alpha.height;
  }

  #isInside(x0: number, y0: number): boolean {
    for (let y = y0 - 1; y <= y0 + BLOCK; y++) {
      for (let x = x0 - 1; x <= x0 + BLOCK; x++) {
        if ((this.#alpha[y * this.width + x] ?? 0) < this.#solid) return false;
      }
    }
    return true;
  }

  /** Undefined where the square reaches beyond the product. */
  block(x0: number, y0: number): Block | undefined {
    if (!this.#isInside(x0, y0)) return undefined;
    let [slopes, steepest, bends, bendSum] = [0, 0, 0, 0];
    const luma = this.#luma;
    for (let y = y0; y < y0 + BLOCK; y++) {
      for (let x = x0, i = y * this.width + x0; x < x0 + BLOCK; x++, i++) {
        const left = luma[i - 1] ?? 0;
        const right = luma[i + 1] ?? 0;
        const above = luma[i - this.width] ?? 0;
        const below = luma[i + this.width] ?? 0;
        const slope = ((right - left) ** 2 + (below - above) ** 2) / 4;
        const bend = left + right + above + below - 4 * (luma[i] ?? 0);
        slopes += slope;
        steepest = Math.max(steepest, slope);
        bends += bend * bend;
        bendSum += bend;
      }
    }
    return { slopes, steepest: Math.sqrt(steepest), bends, bendSum };
  }
}

/**
 * An edge that is blurred by a Gaussian of σ pixels has 2σ² times as much energy in its slope as in its bend,
 * whatever its contrast: so σ is told without knowing the subject, which the Laplacian's variance alone is not.
 */
const blurOf = ({ slopes, bends }: Block) => Math.sqrt(slopes / Math.max(1e-6, 2 * bends));

/** How sharp the product is where alpha is at least `solid`. */
export function measureSharpness(cutout: Cutout, solid: number): Sharpness {
  const field = new Field(cutout, solid);
  const blurs: number[] = [];
  let [count, sum, squares] = [0, 0, 0];
  for (let y = 1; y + BLOCK < field.height; y += BLOCK) {
    for (let x = 1; x + BLOCK < field.width; x += BLOCK) {
      const block = field.block(x, y);
      if (!block) continue;
      count += BLOCK * BLOCK;
      sum += block.bendSum;
      squares += block.bends;
      if (block.steepest >= MIN_SLOPE) blurs.push(blurOf(block));
    }
  }
  const mean = sum / Math.max(1, count);
  const laplacianVariance = Math.max(0, squares / Math.max(1, count) - mean * mean);
  if (blurs.length < MIN_BLOCKS) return { laplacianVariance };
  const sorted = blurs.sort((a, b) => a - b);
  return { laplacianVariance, blurPixels: sorted[Math.floor(SHARPEST * (sorted.length - 1))] ?? 0 };
}
