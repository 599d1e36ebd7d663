/**
 * Cuts a picture into tiles of one constant shape, so that a network sees one input size only. A tile is read
 * with `padding` pixels of context on each side (mirrored beyond the picture's edges) and only its core is
 * kept: with padding of at least the network's receptive radius the result equals the whole picture's.
 */
import type { Box } from "#crds/runner-report.ts";
import { clampedBytes } from "./interpolation.ts";
import type { Size } from "./layout.ts";
import type { Rgb } from "./raster.ts";

/** A tile with its padding, in pixels. */
export interface TileShape extends Size {
  readonly padding: number;
}

export const squareTile = (side: number, padding: number): TileShape => ({
  width: side,
  height: side,
  padding,
});

/** The cores of so many pixels in a row of `length`, one tile's padding left out. @throws {RangeError} */
function coresAlong(length: number, tile: number, padding: number): number {
  const step = tile - 2 * padding;
  if (step < 1)
    throw new RangeError(`a tile of ${tile} pixels leaves nothing inside ${padding} pixels of padding`);
  return Math.ceil(length / step);
}

/** Even, so that what was fitted once stays so when it is fitted again. */
function fittedSide(length: number, most: number, padding: number): number {
  return 2 * Math.ceil((length / coresAlong(length, most, padding) + 2 * padding) / 2);
}

/**
 * The smallest tile that covers a picture in as few tiles as tiles of `most` pixels a side do: the last ones of a
 * row or column are then no larger than what is left. For machines that have no favourite shape.
 * @param most even. @throws {RangeError}
 */
export function fittedTile({ width, height }: Size, most: number, padding: number): TileShape {
  return { width: fittedSide(width, most, padding), height: fittedSide(height, most, padding), padding };
}

/** The cores of all tiles: they cover the picture exactly once. @throws {RangeError} */
export function planTiles(picture: Size, { width, height, padding }: TileShape): Box[] {
  const [columns, rows] = [
    coresAlong(picture.width, width, padding),
    coresAlong(picture.height, height, padding),
  ];
  const [across, down] = [width - 2 * padding, height - 2 * padding];
  return Array.from({ length: columns * rows }, (_, i) => {
    const [x, y] = [(i % columns) * across, Math.floor(i / columns) * down];
    return {
      x,
      y,
      width: Math.min(across, picture.width - x),
      height: Math.min(down, picture.height - y),
    };
  });
}

/** Mirrors an index into 0..length-1 without repeating the edge: -1 → 1, length → length-2. */
export function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((index % period) + period) % period;
  return at < length ? at : period - at;
}

/** A tile as float planes [3, height, width], 0..1, with the core at (padding, padding). */
export function readTile(picture: Rgb, core: Box, { width, height, padding }: TileShape): Float32Array {
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  const columns = Int32Array.from(
    { length: width },
    (_, x) => 3 * mirrored(core.x - padding + x, picture.width),
  );
  for (let y = 0, to = 0; y < height; y++) {
    const row = 3 * mirrored(core.y - padding + y, picture.height) * picture.width;
    for (let x = 0; x < width; x++, to++) {
      const from = row + (columns[x] ?? 0);
      out[to] = (picture.data[from] ?? 0) / 255;
      out[plane + to] = (picture.data[from + 1] ?? 0) / 255;
      out[2 * plane + to] = (picture.data[from + 2] ?? 0) / 255;
    }
  }
  return out;
}

interface Enlarged extends TileShape {
  readonly factor: number;
  /** What differs from the picture that is written into is taken so many times. */
  readonly gain: number;
}

/** Writes the core of an upscaled tile (planes [3, height · factor, width · factor], 0..1) into the large picture. */
export function writeTile(
  into: Rgb,
  core: Box,
  tile: Float32Array,
  { width, height, padding, factor, gain }: Enlarged,
): void {
  const plane = width * height * factor ** 2;
  const levels = clampedBytes(into);
  const scale = 255 * gain;
  const kept = 1 - gain;
  for (let y = 0; y < core.height * factor; y++) {
    let from = (padding * factor + y) * width * factor + padding * factor;
    let to = ((core.y * factor + y) * into.width + core.x * factor) * 3;
    for (let x = 0; x < core.width * factor; x++, from++, to += 3) {
      levels[to] = (levels[to] ?? 0) * kept + (tile[from] ?? 0) * scale;
      levels[to + 1] = (levels[to + 1] ?? 0) * kept + (tile[from + plane] ?? 0) * scale;
      levels[to + 2] = (levels[to + 2] ?? 0) * kept + (tile[from + 2 * plane] ?? 0) * scale;
    }
  }
}
