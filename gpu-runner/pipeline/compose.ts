import type { Box } from "#crds/runner-report.ts";
import { toLinear, toSrgb } from "./linear-light.ts";
import { ditherAt } from "./noise.ts";
import { type Alpha, newRgb, type Rgb } from "./raster.ts";
import type { Shadow } from "./shadow.ts";
import type { LinearRgb } from "./studio-set.ts";

/** A cut-out: its own colours and its matte, of one size. */
export interface Cutout {
  readonly colour: Rgb;
  readonly alpha: Alpha;
}

/** Dims the background under a shadow, in place. `product` is the box that throws it. */
export function darken(background: LinearRgb, shadow: Shadow, product: Box): void {
  const { darkness, room } = shadow;
  for (let y = 0; y < darkness.height; y++) {
    const row = product.y + y;
    if (row < 0 || row >= background.height) continue;
    for (let x = 0; x < darkness.width; x++) {
      const column = product.x - room.left + x;
      if (column < 0 || column >= background.width) continue;
      const light = 1 - (darkness.data[y * darkness.width + x] ?? 0);
      const at = (row * background.width + column) * 3;
      for (let c = at; c < at + 3; c++) background.data[c] = (background.data[c] ?? 0) * light;
    }
  }
}

export interface Grain {
  readonly seed: number;
  /** Levels of noise (triangular, ±) that hide banding; 0 keeps flat colours exact. */
  readonly levels: number;
}

/** The background as 8-bit sRGB. */
function develop(background: LinearRgb, grain: Grain): Rgb {
  const out = newRgb(background.width, background.height);
  for (let i = 0, y = 0; y < background.height; y++) {
    for (let x = 0; x < background.width; x++) {
      const noise = grain.levels === 0 ? 0 : grain.levels * ditherAt(grain.seed, x, y);
      for (let c = 0; c < 3; c++, i++) out.data[i] = toByte(toSrgb(background.data[i] ?? 0) + noise);
    }
  }
  return out;
}

const toByte = (level: number) => Math.min(255, Math.max(0, Math.round(level)));

/**
 * Lays the cut-out on the background at the product's box. Soft edges are mixed in linear light; where the
 * matte is opaque the cut-out's bytes are copied, so the product is exactly what it was.
 */
export function compose(background: LinearRgb, cutout: Cutout, product: Box, grain: Grain): Rgb {
  const out = develop(background, grain);
  const { alpha, colour } = cutout;
  for (let y = 0; y < product.height; y++) {
    for (let x = 0; x < product.width; x++) {
      const from = y * product.width + x;
      const opacity = alpha.data[from] ?? 0;
      if (opacity === 0) continue;
      const to = (product.y + y) * out.width + product.x + x;
      for (let c = 0; c < 3; c++) {
        const own = colour.data[from * 3 + c] ?? 0;
        out.data[to * 3 + c] =
          opacity === 255 ? own : mixed(own, background.data[to * 3 + c] ?? 0, opacity / 255);
      }
    }
  }
  return out;
}

function mixed(own: number, behind: number, share: number): number {
  return toByte(toSrgb(toLinear(own) * share + behind * (1 - share)));
}
