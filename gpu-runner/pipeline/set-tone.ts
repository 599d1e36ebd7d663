/**
 * Slow differences of tone over a surface: clouds in paint and stone, the swell of trowelled plaster. They are worked out with the light, at a fraction of the pixels; axes are turned and bent so that no
 * lattice shows.
 */
import { makeNoiseTable, noiseAt, type NoiseTable } from "./noise-table.ts";

/** Light left at a place of a surface, about 1. */
export type Tone = (u: number, v: number) => number;

const [COS, SIN] = [Math.cos(0.51), Math.sin(0.51)];

/** Bent and turned noise of `octaves` octaves, about -1..1. */
function turbulence(table: NoiseTable, u: number, v: number, octaves: number): number {
  const bend = noiseAt(table, u * 0.9 + 31, v * 0.9);
  let [x, y] = [u * COS - v * SIN + 0.35 * bend, u * SIN + v * COS - 0.3 * bend];
  let [sum, gain] = [0, 0.55];
  for (let octave = 0; octave < octaves; octave++) {
    sum += gain * noiseAt(table, x, y);
    [x, y] = [2.03 * (x * COS + y * SIN) + 17, 2.03 * (y * COS - x * SIN) + 5];
    gain *= 0.55;
  }
  return sum;
}

/** Clouds of a strength, 0.03 a painted wall. */
export function clouds(seed: number, strength: number): Tone {
  const table = makeNoiseTable(seed + 301);
  return (u, v) => 1 + strength * turbulence(table, u * 1.1, v * 1.1, 4);
}

/** Plaster, uneven under a raking light: what faces the key is brighter. `strength` 1 is trowelled by hand. */
export function trowelled(seed: number, strength: number, side: 1 | -1): Tone {
  const table = makeNoiseTable(seed + 302);
  const reach = 0.02;
  const height = (u: number, v: number) =>
    turbulence(table, u * 2.2, v * 3.1, 3) + 0.3 * turbulence(table, u * 9 + 7, v * 12, 2);
  return (u, v) => {
    const here = height(u, v);
    const slope = (height(u + side * reach, v - 0.6 * reach) - here) / reach;
    return (1 + 0.03 * strength * here) * (1 + 0.09 * strength * Math.tanh(slope * 0.28));
  };
}

/** Two tones on one surface. */
export const both =
  (first: Tone, second: Tone): Tone =>
  (u, v) =>
    first(u, v) * second(u, v);
