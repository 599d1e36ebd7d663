/** Linen: threads over and under each other, some thicker than others. Its folds are in `set-cloth.ts`. */
import type { Colour } from "./oklab.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { kept, layOctaves, makeNoiseTable } from "./noise-table.ts";

/** Threads a unit: half a millimetre each beside a product of a hand's length. */
const THREADS = 190;

/** Yarn is spun unevenly: of every ten threads or so one is thick for a part of its length. */
const WARP = [
  { u: THREADS * 0.5, v: 3.1, gain: 0.035 },
  { u: THREADS, v: 9, gain: 0.045 },
  { u: 27, v: 2.6, gain: 0.012 },
] as const;
const WEFT = [
  { u: 3.4, v: THREADS * 0.5, gain: 0.045 },
  { u: 9.5, v: THREADS, gain: 0.05 },
  { u: 2.9, v: 25, gain: 0.014 },
] as const;

export function linen({ colour, seed }: { readonly colour: Colour; readonly seed: number }): Material {
  const table = makeNoiseTable(seed + 23);
  const [warp, weft] = [new Float32Array(MAX_ROW), new Float32Array(MAX_ROW)];
  return (row, out) => {
    layOctaves(table, row, WARP, warp);
    layOctaves(table, { ...row, u0: row.u0 + 50 }, WEFT, weft);
    const weave = 0.09 * kept(row, THREADS / 2);
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
