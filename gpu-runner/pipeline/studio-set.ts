/**
 * A photographer's paper sweep: a wall that bends into the floor behind the product without a line, a pool of
 * light on the wall, a key light from the upper left, and the faint mottling of paper. All lengths follow the
 * product's size, so a catalogue looks as if it was shot in one place. In linear light, by seed alone.
 */
import type { Box } from "#crds/runner-report.ts";
import type { Size } from "./layout.ts";
import { parseHexColour, toLinear } from "./linear-light.ts";
import { smoothNoiseAt } from "./noise.ts";

export const DEFAULT_SET_COLOUR = "#e9e5df";

export interface StudioSet {
  readonly product: Box;
  /** "#rrggbb": the paper's colour in full light. */
  readonly colour: string;
  readonly seed: number;
}

/** Linear light, three floats a pixel, 0..1. */
export interface LinearRgb extends Size {
  readonly data: Float32Array;
}

function smoothStep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** Brightness of the paper at a point. `u`, `v`: from the middle of the product's foot, in product sizes, v downwards. */
function lightAt(u: number, v: number): number {
  const pool = Math.exp(-(((u + 0.18) / 1.25) ** 2 + ((v + 0.75) / 1.0) ** 2));
  const wall = 0.7 + 0.3 * pool - 0.05 * smoothStep(-1.2, -2.6, v);
  const floor =
    0.9 +
    0.1 * Math.exp(-(((u + 0.1) / 1.1) ** 2 + ((v - 0.02) / 0.5) ** 2)) -
    0.1 * smoothStep(0.15, 1.6, v);
  const bend = smoothStep(-0.52, -0.1, v);
  const shade = 0.035 * Math.exp(-(((v + 0.36) / 0.16) ** 2));
  const side = 1 - 0.05 * Math.tanh(u * 0.9);
  return (wall + (floor - wall) * bend - shade) * side;
}

/** Lighter paper is lit warmer, darker corners fall off cooler: by this much of the brightness' deviation. */
const WARMTH = 0.035;

export function makeStudioSet(size: Size, { product, colour, seed }: StudioSet): LinearRgb {
  const [red, green, blue] = parseHexColour(colour).map(toLinear) as [number, number, number];
  const measure = Math.max(product.height, 0.75 * product.width);
  const centre = product.x + product.width / 2;
  const ground = product.y + product.height;
  const data = new Float32Array(size.width * size.height * 3);
  for (let y = 0, to = 0; y < size.height; y++) {
    const v = (y - ground) / measure;
    for (let x = 0; x < size.width; x++) {
      const u = (x - centre) / measure;
      const mottle =
        0.007 * smoothNoiseAt(seed, u * 9, v * 9) + 0.005 * smoothNoiseAt(seed + 11, u * 41, v * 41);
      const light = lightAt(u, v) + mottle;
      const warm = WARMTH * (light - 0.9);
      data[to++] = red * light * (1 + warm);
      data[to++] = green * light;
      data[to++] = blue * light * (1 - warm);
    }
  }
  return { ...size, data };
}

/** One colour everywhere. */
export function makeFlatSet(size: Size, colour: string): LinearRgb {
  const channels = parseHexColour(colour).map(toLinear);
  const data = new Float32Array(size.width * size.height * 3);
  for (let i = 0; i < data.length; i++) data[i] = channels[i % 3] ?? 0;
  return { ...size, data };
}
