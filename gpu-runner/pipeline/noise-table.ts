/**
 * Smooth noise from a table that repeats after 256 steps: several times faster than hashing each lattice point,
 * and filtered. A pattern finer than what a pixel sees (its own size and the defocus) is faded out before it
 * could alias, so textures lose their detail towards the horizon as a lens would lose it.
 */
import { randomAt } from "./noise.ts";

const SIDE = 256;
const MASK = SIDE - 1;

/** Values in -1..1, 256 rows of 256. */
export type NoiseTable = Float32Array;

export function makeNoiseTable(seed: number): NoiseTable {
  const table = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < table.length; i++) table[i] = 2 * randomAt(seed, i & MASK, i >> 8) - 1;
  return table;
}

const fade = (t: number) => t * t * (3 - 2 * t);

/** Smooth noise in -1..1 that changes over about one unit of x and y. */
export function noiseAt(table: NoiseTable, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [fade(x - column), fade(y - row)];
  const [c0, c1] = [column & MASK, (column + 1) & MASK];
  const [r0, r1] = [(row & MASK) << 8, ((row + 1) & MASK) << 8];
  const a = table[r0 + c0] ?? 0;
  const b = table[r1 + c0] ?? 0;
  const top = a + ((table[r0 + c1] ?? 0) - a) * u;
  const bottom = b + ((table[r1 + c1] ?? 0) - b) * u;
  return top + (bottom - top) * v;
}

/** One row of a surface as the camera sees it: `u` advances by `du` a pixel, `v` stays. In units. */
export interface SurfaceRow {
  readonly count: number;
  readonly u0: number;
  readonly du: number;
  readonly v: number;
  /** Half of what a pixel sees along u and v: its own size and the defocus. */
  readonly blurU: number;
  readonly blurV: number;
}

/** How much of a pattern of so many waves a unit is left in what a pixel sees, 0..1. */
export function kept(row: SurfaceRow, wavesU: number, wavesV: number = wavesU): number {
  const [u, v] = [wavesU * row.blurU, wavesV * row.blurV];
  return Math.exp(-3 * (u * u + v * v));
}

export interface Octave {
  /** Changes a unit along u and v. */
  readonly u: number;
  readonly v: number;
  readonly gain: number;
  /** How far the pattern leans along u for one step along v: upright lattices show as columns. */
  readonly lean?: number;
}

/** Adds an octave of noise along a row to `sum`. The lattice's two rows are joined once a cell, not once a pixel. */
function addOctave(table: NoiseTable, row: SurfaceRow, octave: Octave, sum: Float32Array): void {
  const gain = octave.gain * kept(row, octave.u, octave.v);
  if (Math.abs(gain) < 2e-4) return;
  const y = row.v * octave.v;
  const line = Math.floor(y);
  const share = fade(y - line);
  const [r0, r1] = [(line & MASK) << 8, ((line + 1) & MASK) << 8];
  const column = (c: number) => {
    const a = table[r0 + (c & MASK)] ?? 0;
    return a + ((table[r1 + (c & MASK)] ?? 0) - a) * share;
  };
  const [start, step] = [(row.u0 + (octave.lean ?? 0) * row.v) * octave.u, row.du * octave.u];
  let cell = Math.floor(start);
  let [left, right] = [column(cell), column(cell + 1)];
  for (let i = 0; i < row.count; i++) {
    const x = start + i * step;
    const at = Math.floor(x);
    if (at !== cell) {
      left = at === cell + 1 ? right : column(at);
      right = column(at + 1);
      cell = at;
    }
    sum[i] = (sum[i] ?? 0) + gain * (left + (right - left) * fade(x - at));
  }
}

/** The sum of several octaves along a row, written over `sum`. */
export function layOctaves(
  table: NoiseTable,
  row: SurfaceRow,
  octaves: readonly Octave[],
  sum: Float32Array,
): void {
  sum.fill(0, 0, row.count);
  for (const octave of octaves) addOctave(table, row, octave, sum);
}

export function smoothStep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
