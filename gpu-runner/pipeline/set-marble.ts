/** Polished marble: soft clouds, a few strong veins that wander and break off, and a net of hair-fine ones. */
import type { Colour } from "./oklab.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { kept, layOctaves, makeNoiseTable, noiseAt, smoothStep, type SurfaceRow } from "./noise-table.ts";

export interface Marble {
  readonly ground: Colour;
  readonly vein: Colour;
  readonly seed: number;
}

/** Veins run aslant: along these. */
const [COS, SIN] = [Math.cos(0.62), Math.sin(0.62)];

/** A vein's strength where its field passes zero: `width` in the field's own units. */
function line(field: number, width: number): number {
  const t = 1 - Math.abs(field) / width;
  return t > 0 ? t * t : 0;
}

export function marble({ ground, vein, seed }: Marble): Material {
  const table = makeNoiseTable(seed + 41);
  const [bendX, bendY, cloud] = [MAX_ROW, MAX_ROW, MAX_ROW].map((n) => new Float32Array(n)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const bend = (row: SurfaceRow) => {
    layOctaves(
      table,
      row,
      [
        { u: 0.7, v: 0.7, gain: 0.55 },
        { u: 2.3, v: 2.1, gain: 0.17 },
        { u: 7, v: 7.3, gain: 0.055 },
        { u: 19, v: 19, gain: 0.018 },
      ],
      bendX,
    );
    layOctaves(
      table,
      { ...row, u0: row.u0 + 37.3, v: row.v + 11.9 },
      [
        { u: 0.8, v: 0.8, gain: 0.5 },
        { u: 2.7, v: 2.7, gain: 0.15 },
      ],
      bendY,
    );
    layOctaves(
      table,
      { ...row, u0: row.u0 + 91.1 },
      [
        { u: 0.9, v: 1.3, gain: 0.5 },
        { u: 3.1, v: 2.9, gain: 0.3 },
        { u: 9, v: 9, gain: 0.15 },
      ],
      cloud,
    );
  };
  return (row, out) => {
    bend(row);
    const sharp = kept(row, 6);
    const hair = kept(row, 14);
    const spread = row.blurU + row.blurV;
    for (let i = 0, to = 0; i < row.count; i++) {
      const u = row.u0 + i * row.du + (bendX[i] ?? 0);
      const v = row.v + (bendY[i] ?? 0);
      const [along, across] = [u * COS + v * SIN, v * COS - u * SIN];
      const main = noiseAt(table, along * 0.6 + 5.3, across * 2.1);
      const strength = smoothStep(-0.55, 0.45, noiseAt(table, along * 0.8, across * 0.9 + 77));
      const fine = noiseAt(table, along * 1.3 + 50, across * 2.9 + 21);
      const halo = 0.2 * line(main, 0.13);
      const core = 0.75 * sharp * (0.035 / (0.035 + spread)) * line(main, 0.035 + 2 * spread);
      const thread = 0.4 * hair * (0.045 / (0.045 + 2 * spread)) * line(fine, 0.045 + 4 * spread);
      const t = Math.min(0.92, strength * (halo + core) + (1 - 0.6 * strength) * thread);
      const tone = 1 + 0.035 * (cloud[i] ?? 0) - 0.05 * Math.max(0, cloud[i] ?? 0);
      out[to++] = (ground[0] + (vein[0] - ground[0]) * t) * tone;
      out[to++] = (ground[1] + (vein[1] - ground[1]) * t) * tone;
      out[to++] = (ground[2] + (vein[2] - ground[2]) * t) * tone;
    }
  };
}
