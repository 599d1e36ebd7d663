import type { Box } from "#crds/runner-report.ts";
import { toLinear, toSrgb } from "./linear-light.ts";
import { ditherAt } from "./noise.ts";
import { type Alpha, newPlane, newRgb, type Plane, type Rgb } from "./raster.ts";
import type { Shadow } from "./shadow.ts";
import type { Background, LinearRgb } from "./studio-set.ts";
import type { Scene, Size } from "./layout.ts";

/** A cut-out: its own colours and its matte, of one size. */
export interface Cutout {
  readonly colour: Rgb;
  readonly alpha: Alpha;
}

/** The shadow where it falls in the scene: darkness 0..1 of every pixel. */
export function shadowInScene(shadow: Shadow, scene: Scene, receives: Background["receives"]): Plane {
  const { darkness, room } = shadow;
  const [left, top] = [scene.product.x - room.left, scene.product.y - room.above];
  const out = newPlane(scene.width, scene.height);
  for (let y = Math.max(0, -top); y < Math.min(darkness.height, scene.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(darkness.width, scene.width - left); x++) {
      const dark = darkness.data[y * darkness.width + x] ?? 0;
      if (dark === 0) continue;
      out.data[(top + y) * scene.width + left + x] = dark * (receives?.(left + x, top + y) ?? 1);
    }
  }
  return out;
}

/** Dims the background under a shadow of its size, in place: light times what the shadow leaves. */
export function darken(background: LinearRgb, darkness: Plane): void {
  for (let i = 0; i < darkness.data.length; i++) {
    const dark = darkness.data[i] ?? 0;
    if (dark === 0) continue;
    for (let c = i * 3; c < i * 3 + 3; c++) background.data[c] = (background.data[c] ?? 0) * (1 - dark);
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

/** The cut-out alone on a transparent canvas of the scene's size. */
export function onClear(scene: Scene, { colour, alpha }: Cutout): Cutout {
  const rgb = newRgb(scene.width, scene.height);
  const canvas = clear(scene);
  for (let y = 0; y < scene.product.height; y++) {
    const from = y * scene.product.width;
    const to = (scene.product.y + y) * scene.width + scene.product.x;
    canvas.data.set(alpha.data.subarray(from, from + scene.product.width), to);
    rgb.data.set(colour.data.subarray(from * 3, (from + scene.product.width) * 3), to * 3);
  }
  return { colour: rgb, alpha: canvas };
}

/** Black under a cut-out of the scene's size, as see-through as the shadow is weak. */
export function withShadow({ colour, alpha }: Cutout, darkness: Plane): Cutout {
  const out = { colour: { ...colour, data: colour.data.slice() }, alpha: clear(alpha) };
  for (let i = 0; i < darkness.data.length; i++) {
    const own = (alpha.data[i] ?? 0) / 255;
    const whole = own + (darkness.data[i] ?? 0) * (1 - own);
    out.alpha.data[i] = Math.round(255 * whole);
    if (own === 1 || own === whole) continue;
    for (let c = i * 3; c < i * 3 + 3; c++) {
      out.colour.data[c] = toByte((colour.data[c] ?? 0) * (own / whole));
    }
  }
  return out;
}

const clear = ({ width, height }: Size): Alpha => ({ width, height, data: new Uint8Array(width * height) });
