/** Walls and papers: matt paint and paper with their fine grain; what is slow is in `set-tone.ts`. */
import type { Colour } from "./oklab.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { layPits } from "./set-pits.ts";
import { layOctaves, makeNoiseTable, type Octave } from "./noise-table.ts";

export interface Paint {
  readonly colour: Colour;
  readonly seed: number;
  /** Strength of the grain that a finger would feel: 0 paper, 1 plaster. */
  readonly relief: number;
  /** +1 lit from the left, -1 from the right. */
  readonly side: 1 | -1;
}

/** Heights in units. Each leans another way, or the slopes across would stand in columns. */
const RELIEF: readonly Octave[] = [
  { u: 26, v: 33, gain: 0.001, lean: 0.55 },
  { u: 43, v: 61, gain: 0.0007, lean: -0.8 },
  { u: 71, v: 97, gain: 0.0005, lean: 0.3 },
  { u: 140, v: 170, gain: 0.0003, lean: -0.45 },
];

export function paint({ colour, seed, relief, side }: Paint): Material {
  const table = makeNoiseTable(seed);
  const [tone, height] = [new Float32Array(MAX_ROW), new Float32Array(MAX_ROW + 1)];
  return (row, out) => {
    layOctaves(table, row, [{ u: 230, v: 230, gain: 0.01 }], tone);
    if (relief > 0) layOctaves(table, { ...row, count: row.count + 1 }, RELIEF, height);
    const slope = (relief * side) / row.du;
    for (let i = 0, to = 0; i < row.count; i++) {
      const tilt = relief > 0 ? slope * ((height[i + 1] ?? 0) - (height[i] ?? 0)) : 0;
      const light = 1 + (tone[i] ?? 0) + Math.max(-0.3, Math.min(0.22, tilt));
      out[to++] = colour[0] * light;
      out[to++] = colour[1] * light;
      out[to++] = colour[2] * light;
    }
  };
}

export interface Concrete {
  readonly colour: Colour;
  readonly seed: number;
  /** Width of the formwork's panels, in units, where their joints show. */
  readonly panel?: number;
}

/** Fair-faced concrete: speckle, the pits of air bubbles, and the joints of its formwork. */
export function concrete({ colour, seed, panel }: Concrete): Material {
  const table = makeNoiseTable(seed + 5);
  const [tone, pits] = [new Float32Array(MAX_ROW), new Float32Array(MAX_ROW)];
  const speckle: readonly Octave[] = [
    { u: 33, v: 31, gain: 0.03, lean: 0.4 },
    { u: 95, v: 101, gain: 0.035, lean: -0.6 },
    { u: 240, v: 250, gain: 0.05, lean: 0.25 },
  ];
  return (row, out) => {
    layOctaves(table, row, speckle, tone);
    layPits(row, seed, pits);
    const level = panel ? jointLight(row.v - 0.62 * panel, row.blurV) : 1;
    for (let i = 0, to = 0; i < row.count; i++) {
      const u = row.u0 + i * row.du;
      const joint = panel ? jointLight((((u / panel + 99.8) % 1) - 0.5) * panel, row.blurU) : 1;
      const light = (1 + (tone[i] ?? 0)) * (1 - 0.5 * (pits[i] ?? 0)) * level * joint;
      out[to++] = colour[0] * light;
      out[to++] = colour[1] * light;
      out[to++] = colour[2] * light * (1 - 0.02 * (tone[i] ?? 0));
    }
  };
}

/** Light left at a distance from a joint's middle. */
function jointLight(distance: number, blur: number): number {
  const width = Math.hypot(0.005, blur);
  return 1 - 0.6 * (0.005 / width) * Math.exp(-((distance / width) ** 2));
}
