/** The product's and the background's colours at large: means over wide windows, reckoned on blocks of pixels. */
import type { Box } from "#crds/runner-report.ts";
import { boxBlur } from "./blur.ts";
import { type LinearTaps, linearTaps } from "./linear-taps.ts";
import { type Alpha, newPlane, type Plane, type Rgb } from "./raster.ts";

/** The windows' radius in blocks: finer ones would hardly change a mean over so many. */
const RADIUS_BLOCKS = 8;
const TINY = 1e-4;

/** What a pixel's window is made of: alpha, alpha times each channel, each channel. */
const SUMS = 7;
/** Foreground red, green, blue; background red, green, blue. */
export const COLOURS = 6;

export interface WideColours {
  /** Both colours of each pixel of a part of the picture, 0..255, interleaved. */
  over(part: Box): Float32Array;
}

interface Photographed {
  readonly picture: Rgb;
  readonly alpha: Alpha;
}

interface Row {
  /** Of a block, in pixels. */
  readonly side: number;
  /** Interleaved, of each block. */
  readonly sums: Float64Array;
}

function addTo(sums: Float64Array, at: number, values: readonly number[]): void {
  for (let k = 0; k < SUMS; k++) sums[at + k] = (sums[at + k] ?? 0) + (values[k] ?? 0);
}

/** Adds one row of pixels to the sums of the blocks that it lies in. */
function addRow({ picture, alpha }: Photographed, y: number, { x, width }: Box, to: Row): void {
  const start = y * picture.width + x;
  for (let block = 0, column = 0; column < width; block++) {
    let [a, ar, ag, ab, r, g, b] = [0, 0, 0, 0, 0, 0, 0];
    const end = Math.min(width, column + to.side);
    for (; column < end; column++) {
      const i = start + column;
      const opacity = (alpha.data[i] ?? 0) / 255;
      const red = picture.data[i * 3] ?? 0;
      const green = picture.data[i * 3 + 1] ?? 0;
      const blue = picture.data[i * 3 + 2] ?? 0;
      a += opacity;
      ar += opacity * red;
      ag += opacity * green;
      ab += opacity * blue;
      r += red;
      g += green;
      b += blue;
    }
    addTo(to.sums, block * SUMS, [a, ar, ag, ab, r, g, b]);
  }
}

/** Means of each block, a plane for each of the sums. */
function blockMeans(photo: Photographed, box: Box, side: number): Plane[] {
  const [width, height] = [Math.ceil(box.width / side), Math.ceil(box.height / side)];
  const planes = Array.from({ length: SUMS }, () => newPlane(width, height));
  const row = { side, sums: new Float64Array(width * SUMS) };
  for (let blockY = 0; blockY < height; blockY++) {
    row.sums.fill(0);
    const rows = Math.min(side, box.height - blockY * side);
    for (let k = 0; k < rows; k++) addRow(photo, box.y + blockY * side + k, box, row);
    for (const [sum, { data }] of planes.entries()) {
      for (let block = 0; block < width; block++) {
        const pixels = rows * Math.min(side, box.width - block * side);
        data[blockY * width + block] = (row.sums[block * SUMS + sum] ?? 0) / pixels;
      }
    }
  }
  return planes;
}

/** Both colours of each block, interleaved: means of its window, weighted by alpha and by the rest of it. */
function coloursOf([opacity, ...means]: readonly Plane[], radius: number): Float32Array {
  const near = opacity ? boxBlur(opacity, radius).data : new Float32Array();
  const out = new Float32Array(near.length * COLOURS);
  for (let c = 0; c < 3; c++) {
    const [product, all] = [means[c], means[3 + c]].map((mean) => mean && boxBlur(mean, radius).data);
    for (const [i, share] of near.entries()) {
      const own = product?.[i] ?? 0;
      out[i * COLOURS + c] = own / (share + TINY);
      out[i * COLOURS + 3 + c] = ((all?.[i] ?? 0) - own) / (1 - share + TINY);
    }
  }
  return out;
}

/** Writes what lies between two rows, `share` of the way to the second. */
function between(to: Float32Array, one: Float32Array, other: Float32Array, share: number): void {
  for (let k = 0; k < to.length; k++) {
    const value = one[k] as number;
    to[k] = value + ((other[k] as number) - value) * share;
  }
}

/** Writes the colours along a row of pixels, between those of the blocks from the first that it needs. */
function stretch(to: Float32Array, blocks: Float32Array, { first, second, share }: LinearTaps): void {
  const start = first[0] as number;
  for (let x = 0, out = 0; x < first.length; x++) {
    const left = ((first[x] as number) - start) * COLOURS;
    const right = ((second[x] as number) - start) * COLOURS;
    const across = share[x] as number;
    for (let c = 0; c < COLOURS; c++, out++) {
      const value = blocks[left + c] as number;
      to[out] = value + ((blocks[right + c] as number) - value) * across;
    }
  }
}

/** @param box outside it lies nothing of the product; @param radius of the windows, in pixels */
export function wideColours(photo: Photographed, box: Box, radius: number): WideColours {
  const side = Math.max(1, Math.floor(radius / RADIUS_BLOCKS));
  const means = blockMeans(photo, box, side);
  const { width = 0, height = 0 } = means[0] ?? {};
  const colours = coloursOf(means, Math.round(radius / side));
  return {
    over(part) {
      const out = new Float32Array(part.width * part.height * COLOURS);
      // Blocks count at their middles.
      const across = linearTaps(part.width, width, (i) => (part.x - box.x + i + 0.5) / side - 0.5);
      const down = linearTaps(part.height, height, (i) => (part.y - box.y + i + 0.5) / side - 0.5);
      const [left, right] = [across.first[0] ?? 0, (across.second.at(-1) ?? 0) + 1];
      const row = (y: number) =>
        colours.subarray((y * width + left) * COLOURS, (y * width + right) * COLOURS);
      const blocks = new Float32Array((right - left) * COLOURS);
      for (let y = 0, at = 0; y < part.height; y++, at += part.width * COLOURS) {
        between(blocks, row(down.first[y] ?? 0), row(down.second[y] ?? 0), down.share[y] ?? 0);
        stretch(out.subarray(at, at + part.width * COLOURS), blocks, across);
      }
      return out;
    },
  };
}
