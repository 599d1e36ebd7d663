/** Linen: threads over and under each other, some thicker than others. Its folds are in `set-tone.ts`. */
import type { Colour } from "./oklab.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { kept, layOctaves, makeNoiseTable } from "./noise-table.ts";

/** Threads a unit. */
const THREADS = 84;

export function linen({ colour, seed }: { readonly colour: Colour; readonly seed: number }): Material {
  const table = makeNoiseTable(seed + 23);
  const [warp, weft] = [new Float32Array(MAX_ROW), new Float32Array(MAX_ROW)];
  return (row, out) => {
    layOctaves(
      table,
      row,
      [
        { u: THREADS * 0.55, v: 2.4, gain: 0.014 },
        { u: THREADS, v: 7, gain: 0.03 },
        { u: 1.2, v: 1.1, gain: 0.015 },
      ],
      warp,
    );
    layOctaves(
      table,
      { ...row, u0: row.u0 + 50 },
      [
        { u: 2.2, v: THREADS * 0.6, gain: 0.05 },
        { u: 6.1, v: THREADS, gain: 0.06 },
      ],
      weft,
    );
    const weave = 0.1 * kept(row, THREADS * 1.7);
    const over = Math.sin(Math.PI * row.v * THREADS);
    for (let i = 0, to = 0; i < row.count; i++) {
      const u = row.u0 + i * row.du;
      const crossing = over * Math.sin(Math.PI * u * THREADS);
      const light = 1 + (warp[i] ?? 0) + (weft[i] ?? 0) + weave * crossing;
      out[to++] = colour[0] * light;
      out[to++] = colour[1] * light;
      out[to++] = colour[2] * light;
    }
  };
}
