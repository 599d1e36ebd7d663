/**
 * Continues a picture into a hole smoothly from its border: what a model painted close round the product is mixed
 * with the product itself, and a seam of another brightness would show. Pushed down a pyramid and pulled up again.
 */
import { distanceTo } from "./distance.ts";
import type { Size } from "./layout.ts";
import type { Alpha, Rgb } from "./raster.ts";

/** Colours times weight (three floats a pixel), and the weights, 0 unknown to 1 known. */
interface Weighted {
  readonly width: number;
  readonly height: number;
  readonly colours: Float32Array;
  readonly weights: Float32Array;
}

function halved({ width, height, colours, weights }: Weighted): Weighted {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = { width: w, height: h, colours: new Float32Array(w * h * 3), weights: new Float32Array(w * h) };
  for (let i = 0; i < width * height; i++) {
    const to = Math.floor(Math.floor(i / width) / 2) * w + Math.floor((i % width) / 2);
    out.weights[to] = (out.weights[to] ?? 0) + (weights[i] ?? 0);
    for (let c = 0; c < 3; c++)
      out.colours[to * 3 + c] = (out.colours[to * 3 + c] ?? 0) + (colours[i * 3 + c] ?? 0);
  }
  return capped(out);
}

/** More than wholly known is no better: far pixels must not outvote near ones. */
function capped(level: Weighted): Weighted {
  for (let i = 0; i < level.weights.length; i++) {
    const weight = level.weights[i] ?? 0;
    if (weight <= 1) continue;
    level.weights[i] = 1;
    for (let c = i * 3; c < i * 3 + 3; c++) level.colours[c] = (level.colours[c] ?? 0) / weight;
  }
  return level;
}

interface Filled extends Size {
  readonly filled: Float32Array;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly share: number;
}

/** The neighbours of a pixel of the finer level among the coarser level's, and their shares. */
function neighbours({ width, height }: Filled, x: number, y: number) {
  const u = Math.max(0, Math.min(width - 1, x / 2 - 0.25));
  const v = Math.max(0, Math.min(height - 1, y / 2 - 0.25));
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const [a, b] = [u - left, v - top];
  return [
    { at: top * width + left, part: (1 - a) * (1 - b) },
    { at: top * width + right, part: a * (1 - b) },
    { at: bottom * width + left, part: (1 - a) * b },
    { at: bottom * width + right, part: a * b },
  ];
}

/** Adds a share of a coarser level's colour, between its pixels' centres, to a pixel of the finer one. */
function addCoarse(out: Float32Array, i: number, { x, y, share }: Place, coarse: Filled): void {
  for (const { at, part } of neighbours(coarse, x, y)) {
    for (let c = 0; c < 3; c++) {
      out[i * 3 + c] = (out[i * 3 + c] ?? 0) + share * part * (coarse.filled[at * 3 + c] ?? 0);
    }
  }
}

/** Every pixel's colour: its own as far as it is known, else from the coarser levels. */
function fill(level: Weighted): Float32Array {
  const out = new Float32Array(level.colours.length);
  if (level.width === 1 && level.height === 1) {
    const weight = Math.max(1e-6, level.weights[0] ?? 0);
    return out.map((_, c) => (level.colours[c] ?? 0) / weight);
  }
  const smaller = halved(level);
  const coarse = { width: smaller.width, height: smaller.height, filled: fill(smaller) };
  out.set(level.colours);
  for (let i = 0; i < level.weights.length; i++) {
    const share = 1 - (level.weights[i] ?? 0);
    if (share === 0) continue;
    addCoarse(out, i, { x: i % level.width, y: Math.floor(i / level.width), share }, coarse);
  }
  return out;
}

export interface Ring {
  /** Pixels round the product that are replaced wholly. */
  readonly solid: number;
  /** And over how many more the replacement fades out. */
  readonly feather: number;
}

const VISIBLE = 4;

/** The picture as it goes on behind the product: the product's place and a ring round it continue what lies outside. */
export function continueBehind(picture: Rgb, product: Alpha, { solid, feather }: Ring): Rgb {
  const { width, height } = picture;
  const distance = distanceTo(product, VISIBLE);
  const weights = distance.data.map((d) => Math.min(1, Math.max(0, (d - solid) / feather)));
  if (weights.every((weight) => weight === 0)) return picture;
  const colours = Float32Array.from(picture.data, (level, i) => level * (weights[Math.floor(i / 3)] ?? 0));
  const filled = fill({ width, height, colours, weights });
  return {
    width,
    height,
    data: Uint8Array.from(filled, (level) => Math.round(Math.min(255, Math.max(0, level)))),
  };
}
