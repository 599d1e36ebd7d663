/**
 * Cuts a picture into tiles of one constant shape, so that a network sees one input size only. A tile is read
 * with `padding` pixels of context on each side (mirrored beyond the picture's edges) and only its core is
 * kept: with padding of at least the network's receptive radius the result equals the whole picture's.
 */
import type { Box } from "#crds/runner-report.ts";
import type { Size } from "./layout.ts";
import type { Rgb } from "./raster.ts";

export interface TileShape {
  /** Side of a tile with its padding, in pixels. */
  readonly tile: number;
  readonly padding: number;
}

/** The cores of all tiles: they cover the picture exactly once. @throws {RangeError} */
export function planTiles(picture: Size, { tile, padding }: TileShape): Box[] {
  const step = tile - 2 * padding;
  if (step < 1)
    throw new RangeError(`a tile of ${tile} pixels leaves nothing inside ${padding} pixels of padding`);
  const cores: Box[] = [];
  for (let y = 0; y < picture.height; y += step) {
    for (let x = 0; x < picture.width; x += step) {
      cores.push({
        x,
        y,
        width: Math.min(step, picture.width - x),
        height: Math.min(step, picture.height - y),
      });
    }
  }
  return cores;
}

/** Mirrors an index into 0..length-1 without repeating the edge: -1 → 1, length → length-2. */
export function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((index % period) + period) % period;
  return at < length ? at : period - at;
}

/** A tile as float planes [3, tile, tile], 0..1, with the core at (padding, padding). */
export function readTile(picture: Rgb, core: Box, { tile, padding }: TileShape): Float32Array {
  const out = new Float32Array(3 * tile * tile);
  const plane = tile * tile;
  for (let y = 0, to = 0; y < tile; y++) {
    const row = mirrored(core.y - padding + y, picture.height) * picture.width;
    for (let x = 0; x < tile; x++, to++) {
      const from = (row + mirrored(core.x - padding + x, picture.width)) * 3;
      out[to] = (picture.data[from] ?? 0) / 255;
      out[plane + to] = (picture.data[from + 1] ?? 0) / 255;
      out[2 * plane + to] = (picture.data[from + 2] ?? 0) / 255;
    }
  }
  return out;
}

/** Writes the core of an upscaled tile (planes [3, tile·factor, tile·factor], 0..1) into the large picture. */
export function writeTile(
  into: Rgb,
  core: Box,
  tile: Float32Array,
  shape: TileShape & { factor: number },
): void {
  const { factor, padding } = shape;
  const side = shape.tile * factor;
  for (let y = 0; y < core.height * factor; y++) {
    const from = (padding * factor + y) * side + padding * factor;
    let to = ((core.y * factor + y) * into.width + core.x * factor) * 3;
    for (let x = 0; x < core.width * factor; x++) {
      for (let c = 0; c < 3; c++) {
        const level = Math.round((tile[c * side * side + from + x] ?? 0) * 255);
        into.data[to++] = Math.min(255, Math.max(0, level));
      }
    }
  }
}
