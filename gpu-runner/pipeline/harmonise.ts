/**
 * The scene's light on the product, so gently that it stays the same product: a gain for each channel that
 * changes only from one part of the product to another, within ±12 % at full strength, and within a budget of
 * visible difference. What is done is stated, and the proof is made against the photo with just that gain.
 */
import type { Box } from "#crds/runner-report.ts";
import { deltaE00, labOf, p95 } from "./colour-difference.ts";
import { toLinear, toSrgb } from "./linear-light.ts";
import { newRgb, type Rgb } from "./raster.ts";
import type { LinearRgb } from "./studio-set.ts";

/** Largest change of a channel's light at full strength. */
const MAX_GAIN = 0.12;
/** ΔE00 at the 95th percentile that may not be passed, whatever strength was asked for. */
const BUDGET = 4;
/** The gain is given at so many points a side. */
const GRID = 6;
/** Shares of brightness and of tint in the whole. */
const [BRIGHTNESS, TINT] = [0.55, 0.45];

/** Gains at GRID × GRID points spread over the product's box, three a point. */
export type GainField = Float32Array;

export interface Harmonised {
  readonly colour: Rgb;
  readonly gains: GainField;
  readonly leastGain: number;
  readonly mostGain: number;
  /** Against the untouched colours. */
  readonly deltaE00P95: number;
}

/** Mean light of the background round each point, three channels. */
function surroundings(background: LinearRgb, box: Box): Float32Array {
  const field = new Float32Array(GRID * GRID * 3);
  const reach = Math.max(box.width, box.height) * 0.3;
  const steps = 9;
  for (let point = 0; point < GRID * GRID; point++) {
    const cx = box.x + (box.width * ((point % GRID) + 0.5)) / GRID;
    const cy = box.y + (box.height * (Math.floor(point / GRID) + 0.5)) / GRID;
    for (let sample = 0; sample < steps * steps; sample++) {
      const dx = ((sample % steps) / (steps - 1) - 0.5) * 2 * reach;
      const dy = (Math.floor(sample / steps) / (steps - 1) - 0.5) * 2 * reach;
      const x = Math.round(Math.min(background.width - 1, Math.max(0, cx + dx)));
      const y = Math.round(Math.min(background.height - 1, Math.max(0, cy + dy)));
      for (let c = 0; c < 3; c++) {
        const at = point * 3 + c;
        field[at] =
          (field[at] ?? 0) + (background.data[(y * background.width + x) * 3 + c] ?? 0) / (steps * steps);
      }
    }
  }
  return field;
}

const luminance = (field: Float32Array, point: number) =>
  0.2126 * (field[point * 3] ?? 0) +
  0.7152 * (field[point * 3 + 1] ?? 0) +
  0.0722 * (field[point * 3 + 2] ?? 0);

/** `strength` 0..1. */
function gainsOf(light: Float32Array, strength: number): GainField {
  const points = GRID * GRID;
  let mean = 1e-4;
  for (let point = 0; point < points; point++) mean += luminance(light, point) / points;
  const gains = new Float32Array(points * 3);
  for (let i = 0; i < gains.length; i++) {
    const local = Math.max(1e-4, luminance(light, Math.floor(i / 3)));
    const bright = Math.tanh(1.6 * (local / mean - 1));
    const tint = Math.tanh(0.9 * ((light[i] ?? 0) / local - 1));
    gains[i] = 1 + MAX_GAIN * strength * (BRIGHTNESS * bright + TINT * tint);
  }
  return gains;
}

/** The picture with the gains applied in linear light; the same picture and gains give the same bytes. */
export function applyGains(picture: Rgb, gains: GainField): Rgb {
  const { width, height, data } = picture;
  const out = newRgb(width, height);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.min(GRID - 1.001, Math.max(0, ((y + 0.5) * GRID) / height - 0.5));
    for (let x = 0; x < width; x++) {
      const column = Math.min(GRID - 1.001, Math.max(0, ((x + 0.5) * GRID) / width - 0.5));
      for (let c = 0; c < 3; c++, i++) {
        out.data[i] = Math.round(toSrgb(toLinear(data[i] ?? 0) * gainAt(gains, column, row, c)));
      }
    }
  }
  return out;
}

function gainAt(gains: GainField, column: number, row: number, c: number): number {
  const [x, y] = [Math.floor(column), Math.floor(row)];
  const [u, v] = [column - x, row - y];
  const at = (y * GRID + x) * 3 + c;
  const top = (gains[at] ?? 1) * (1 - u) + (gains[at + 3] ?? 1) * u;
  const bottom = (gains[at + GRID * 3] ?? 1) * (1 - u) + (gains[at + GRID * 3 + 3] ?? 1) * u;
  return top * (1 - v) + bottom * v;
}

/** ΔE00 of a few thousand of the core's pixels, at the 95th percentile. */
function difference(before: Rgb, after: Rgb, core: Uint8Array): number {
  const step = Math.max(1, Math.floor(core.length / 6000));
  const differences: number[] = [];
  for (let i = 0; i < core.length; i += step) {
    if (core[i] !== 1) continue;
    differences.push(deltaE00(labAt(before, i * 3), labAt(after, i * 3)));
  }
  return p95(differences, differences.length);
}

const labAt = ({ data }: Rgb, at: number) => labOf(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);

/** Tints a product's colours by the light of what is behind it. `percent` 1..100. */
export function harmonise(
  colour: Rgb,
  core: Uint8Array,
  scene: { readonly background: LinearRgb; readonly product: Box },
  percent: number,
): Harmonised {
  const light = surroundings(scene.background, scene.product);
  let strength = percent / 100;
  let gains = gainsOf(light, strength);
  let tinted = applyGains(colour, gains);
  let deltaE = difference(colour, tinted, core);
  for (let tries = 0; deltaE > BUDGET && tries < 4; tries++) {
    strength *= (0.97 * BUDGET) / deltaE;
    gains = gainsOf(light, strength);
    tinted = applyGains(colour, gains);
    deltaE = difference(colour, tinted, core);
  }
  return {
    colour: tinted,
    gains,
    leastGain: gains.reduce((least, gain) => Math.min(least, gain), 2),
    mostGain: gains.reduce((most, gain) => Math.max(most, gain), 0),
    deltaE00P95: deltaE,
  };
}
