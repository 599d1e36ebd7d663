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

/** Writes a soft pixel's product colour times alpha, by the wide pass' colours; and alpha. */
function premultiply(
  picture: Rgb,
  i: number,
  a: number,
  [near, out, to]: [Float64Array, Float32Array, number],
) {
  for (let c = 0; c < 3; c++) {
    out[to + c] = a * explained(picture.data[i * 3 + c] ?? 0, a, near[c] ?? 0, near[3 + c] ?? 0);
  }
  out[to + 3] = a;
}

/** The same for each pixel of a part. */
function premultiplied({ picture, alpha, wide }: Edge, part: Box): Float32Array {
  const out = new Float32Array(part.width * part.height * CHANNELS);
  const near = new Float64Array(COLOURS);
  for (let y = part.y, to = 0; y < part.y + part.height; y++) {
    for (let x = part.x; x < part.x + part.width; x++, to += CHANNELS) {
      const i = y * picture.width + x;
      const level = alpha.data[i] ?? 0;
      if (level === 0) continue;
      // Of an opaque pixel nothing is left to explain.
      if (level < 255) wide.at(x, y, near);
      premultiply(picture, i, level / 255, [near, out, to]);
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

type Sums = Float64Array;

/** The product's own colour of a pixel that is not opaque; `at` is its place in the sums of the windows. */
function clean(own: number, a: number, [sums, at, c]: [Sums, number, number], near: Float64Array): number {
  const weight = (sums[at + 3] ?? 0) + WIDE_WEIGHT;
  const product = ((sums[at + c] ?? 0) + WIDE_WEIGHT * (near[c] ?? 0)) / weight;
  return Math.min(255, Math.max(0, Math.round(explained(own, a, product, near[3 + c] ?? 0))));
}

/** Writes one row of the tile; `sums` are those of the windows round its pixels. */
function writeRow({ picture, alpha, wide }: Edge, tile: Box, y: number, [sums, out]: [Sums, Rgb]): void {
  const near = new Float64Array(COLOURS);
  for (let x = 0, i = y * picture.width + tile.x; x < tile.width; x++, i++) {
    const level = alpha.data[i] ?? 0;
    if (level < 255) wide.at(tile.x + x, y, near);
    for (let c = 0; c < 3; c++) {
      const own = picture.data[i * 3 + c] ?? 0;
      out.data[i * 3 + c] = level === 255 ? own : clean(own, level / 255, [sums, x * CHANNELS, c], near);
    }
  }
}

/** Writes the tile's clean colours; opaque pixels get the photo's own bytes. */
export function cleanTile(edge: Edge, tile: Box, out: Rgb): void {
  const part = grown(tile, edge.radius, edge.alpha);
  const rows = rowSums(premultiplied(edge, part), { part, tile, radius: edge.radius });
  const sums = new Float64Array(tile.width * CHANNELS);
  const first = tile.y - part.y;
  for (let y = Math.max(0, first - edge.radius); y < Math.min(part.height, first + edge.radius); y++)
    addRow(sums, rows, y, 1);
  for (let y = 0; y < tile.height; y++) {
    const [enters, leaves] = [first + y + edge.radius, first + y - edge.radius - 1];
    if (enters < part.height) addRow(sums, rows, enters, 1);
    if (leaves >= 0) addRow(sums, rows, leaves, -1);
    writeRow(edge, tile, tile.y + y, [sums, out]);
  }
}
