/** The narrow pass of decontamination, over one tile of the picture and a border of the window's radius. */
import type { Box } from "#crds/runner-report.ts";
import { grown } from "./box.ts";
import { COLOURS, type WideColours } from "./decontaminate-wide.ts";
import type { Alpha, Rgb } from "./raster.ts";

export interface Edge {
  readonly picture: Rgb;
  readonly alpha: Alpha;
  readonly wide: WideColours;
  /** Of the windows, in pixels. */
  readonly radius: number;
}

/** Red, green and blue times alpha, and alpha. */
const CHANNELS = 4;
/** Pixels' worth of the wide pass' colour in each window: what counts where the window holds no product. */
const WIDE_WEIGHT = 0.05;

/** A pixel explained by its share of both colours; what is left over counts as far as it is product. */
const explained = (own: number, a: number, product: number, background: number) =>
  product + a * (own - a * product - (1 - a) * background);

/** Each pixel's product colour times alpha, by the wide pass' colours `near`; and alpha. */
function premultiplied({ picture, alpha }: Edge, part: Box, near: Float32Array): Float32Array {
  const out = new Float32Array(part.width * part.height * CHANNELS);
  for (let y = part.y, k = 0; y < part.y + part.height; y++) {
    for (let x = part.x, i = y * picture.width + x; x < part.x + part.width; x++, i++, k++) {
      const a = (alpha.data[i] as number) / 255;
      if (a === 0) continue;
      const [from, to] = [k * COLOURS, k * CHANNELS];
      for (let c = 0; c < 3; c++) {
        const own = picture.data[i * 3 + c] as number;
        // Of an opaque pixel nothing is left to explain.
        out[to + c] =
          a === 1 ? own : a * explained(own, a, near[from + c] as number, near[from + 3 + c] as number);
      }
      out[to + 3] = a;
    }
  }
  return out;
}

interface Windows {
  readonly part: Box;
  readonly tile: Box;
  readonly radius: number;
}

/** Sums along the part's rows over windows round the tile's columns; beyond the part lies nothing. */
function rowSums(values: Float32Array, { part, tile, radius }: Windows): Float32Array {
  const out = new Float32Array(tile.width * part.height * CHANNELS);
  const first = tile.x - part.x;
  for (let y = 0; y < part.height; y++) {
    const row = y * part.width * CHANNELS;
    for (let c = 0; c < CHANNELS; c++) {
      let sum = 0;
      for (let x = Math.max(0, first - radius); x < Math.min(part.width, first + radius); x++)
        sum += values[row + x * CHANNELS + c] ?? 0;
      for (let x = 0; x < tile.width; x++) {
        const [enters, leaves] = [first + x + radius, first + x - radius - 1];
        if (enters < part.width) sum += values[row + enters * CHANNELS + c] ?? 0;
        if (leaves >= 0) sum -= values[row + leaves * CHANNELS + c] ?? 0;
        out[(y * tile.width + x) * CHANNELS + c] = sum;
      }
    }
  }
  return out;
}

function addRow(sums: Float64Array, rows: Float32Array, y: number, sign: 1 | -1): void {
  const start = y * sums.length;
  for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + sign * (rows[start + k] ?? 0);
}

interface Row {
  readonly y: number;
  /** Of the windows round the row's pixels. */
  readonly sums: Float64Array;
  /** The wide pass' colours along it. */
  readonly near: Float32Array;
}

/** Writes one row of the tile: the product's own colours where it is not opaque. */
function writeRow({ picture, alpha }: Edge, tile: Box, { y, sums, near }: Row, out: Rgb): void {
  for (let x = 0, i = y * picture.width + tile.x; x < tile.width; x++, i++) {
    const a = (alpha.data[i] as number) / 255;
    if (a === 1) {
      for (let k = i * 3; k < i * 3 + 3; k++) out.data[k] = picture.data[k] as number;
      continue;
    }
    const [at, from] = [x * CHANNELS, x * COLOURS];
    const weight = (sums[at + 3] as number) + WIDE_WEIGHT;
    for (let c = 0; c < 3; c++) {
      const own = picture.data[i * 3 + c] as number;
      const product = ((sums[at + c] as number) + WIDE_WEIGHT * (near[from + c] as number)) / weight;
      const clean = explained(own, a, product, near[from + 3 + c] as number);
      out.data[i * 3 + c] = Math.min(255, Math.max(0, Math.round(clean)));
    }
  }
}

/** Writes the tile's clean colours; opaque pixels get the photo's own bytes. */
export function cleanTile(edge: Edge, tile: Box, out: Rgb): void {
  const { alpha, radius, wide } = edge;
  const part = grown(tile, radius, alpha);
  const near = wide.over(part);
  const rows = rowSums(premultiplied(edge, part, near), { part, tile, radius });
  const sums = new Float64Array(tile.width * CHANNELS);
  const [left, top] = [tile.x - part.x, tile.y - part.y];
  for (let y = Math.max(0, top - radius); y < Math.min(part.height, top + radius); y++)
    addRow(sums, rows, y, 1);
  for (let y = 0; y < tile.height; y++) {
    const [enters, leaves] = [top + y + radius, top + y - radius - 1];
    if (enters < part.height) addRow(sums, rows, enters, 1);
    if (leaves >= 0) addRow(sums, rows, leaves, -1);
    const along = near.subarray(((top + y) * part.width + left) * COLOURS);
    writeRow(edge, tile, { y: tile.y + y, sums, near: along }, out);
  }
}
