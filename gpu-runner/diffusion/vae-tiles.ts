/**
 * Tiles for pictures that are too large for the VAE in one piece. All have one shape, the last of a row or column
 * moved in; where they overlap their edges fade into each other, so that no seam stands anywhere. Pure.
 */
import type { Box } from "#crds/runner-report.ts";

/** Starts of tiles along one axis, at most `tile - overlap` apart. */
function starts(length: number, tile: number, overlap: number): number[] {
  if (length <= tile) return [0];
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}

export interface Area {
  readonly width: number;
  readonly height: number;
}

/** Tiles of one shape that cover an area and overlap by at least `overlap`. */
export function planOverlapping(area: Area, tile: number, overlap: number): Box[] {
  const [width, height] = [Math.min(tile, area.width), Math.min(tile, area.height)];
  return starts(area.height, height, overlap).flatMap((y) =>
    starts(area.width, width, overlap).map((x) => ({ x, y, width, height })),
  );
}

/** Copies a tile out of planes: [channels, height, width]. */
export function cutTile(planes: Float32Array, area: Area, tile: Box): Float32Array {
  const channels = planes.length / (area.width * area.height);
  const out = new Float32Array(channels * tile.width * tile.height);
  for (let to = 0, c = 0; c < channels; c++) {
    for (let y = 0; y < tile.height; y++, to += tile.width) {
      const from = (c * area.height + tile.y + y) * area.width + tile.x;
      out.set(planes.subarray(from, from + tile.width), to);
    }
  }
  return out;
}

/** How much a tile counts along an axis: it fades in over `overlap` from an edge that is not the area's own. */
function fade(tile: { start: number; length: number }, whole: number, overlap: number): Float32Array {
  const ends = tile.start + tile.length < whole;
  return Float32Array.from({ length: tile.length }, (_, i) => {
    const before = tile.start > 0 ? (i + 0.5) / overlap : 1;
    const after = ends ? (tile.length - i - 0.5) / overlap : 1;
    return Math.min(1, before, after);
  });
}

/** Joins tiles of an area: [channels, height, width]. Weighted means where they overlap. */
export class TileBlend {
  readonly #area: Area;
  readonly #overlap: number;
  readonly #sums: Float32Array;
  readonly #weights: Float32Array;
  readonly #channels: number;

  constructor(area: Area, channels: number, overlap: number) {
    this.#area = area;
    this.#overlap = overlap;
    this.#channels = channels;
    this.#sums = new Float32Array(channels * area.width * area.height);
    this.#weights = new Float32Array(area.width * area.height);
  }

  add(tile: Box, values: Float32Array): void {
    const { width, height } = this.#area;
    const across = fade({ start: tile.x, length: tile.width }, width, this.#overlap);
    const down = fade({ start: tile.y, length: tile.height }, height, this.#overlap);
    for (let y = 0; y < tile.height; y++) {
      for (let x = 0; x < tile.width; x++) {
        const weight = (across[x] ?? 0) * (down[y] ?? 0);
        const at = (tile.y + y) * width + tile.x + x;
        this.#weights[at] = (this.#weights[at] ?? 0) + weight;
        for (let c = 0; c < this.#channels; c++) {
          const to = c * width * height + at;
          const value = values[(c * tile.height + y) * tile.width + x] ?? 0;
          this.#sums[to] = (this.#sums[to] ?? 0) + weight * value;
        }
      }
    }
  }

  finish(): Float32Array {
    const size = this.#weights.length;
    return this.#sums.map((sum, i) => sum / (this.#weights[i % size] ?? 1));
  }
}
