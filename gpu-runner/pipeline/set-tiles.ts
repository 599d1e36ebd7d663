/** Glazed wall tiles in a running bond: each with its own tone and tilt, a bevel that catches light, grey joints. */
import type { Colour } from "./oklab.ts";
import { randomAt } from "./noise.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { layOctaves, makeNoiseTable, smoothStep, type SurfaceRow } from "./noise-table.ts";

export interface Tiles {
  readonly glaze: Colour;
  readonly joint: Colour;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly side: 1 | -1;
}

const JOINT = 0.012;
const BEVEL = 0.03;

/** Share of joint in what is seen at a distance from its middle. */
const jointShare = (distance: number, blur: number) =>
  1 - smoothStep(JOINT / 2 - blur - 0.002, JOINT / 2 + blur + 0.002, distance);

/** Light of the bevel: upper and lit edges shine, lower ones lie in shade. */
const bevelLight = (distance: number, blur: number) =>
  Math.exp(-(((distance - JOINT / 2 - BEVEL / 3) / (BEVEL / 2 + blur)) ** 2)) * (BEVEL / (BEVEL + 2 * blur));

export function tiles({ glaze, joint, seed, width, height, side }: Tiles): Material {
  const table = makeNoiseTable(seed + 71);
  const wave = new Float32Array(MAX_ROW);
  const lineOf = (row: SurfaceRow) => {
    const line = Math.floor(row.v / height);
    const below = row.v - line * height;
    const above = height - below;
    return {
      line,
      joint: jointShare(Math.min(below, above), row.blurV),
      bevel: 0.2 * bevelLight(above, row.blurV) - 0.16 * bevelLight(below, row.blurV),
      inside: below / height - 0.5,
    };
  };
  return (row, out) => {
    const { line, joint: level, bevel, inside } = lineOf(row);
    layOctaves(
      table,
      row,
      [
        { u: 4, v: 5, gain: 0.05 },
        { u: 11, v: 13, gain: 0.03 },
        { u: 40, v: 40, gain: 0.012 },
      ],
      wave,
    );
    const offset = line % 2 === 0 ? 0 : width / 2;
    for (let i = 0, to = 0; i < row.count; i++) {
      const u = row.u0 + i * row.du + offset;
      const column = Math.floor(u / width);
      const left = u - column * width;
      const right = width - left;
      const tone = 0.13 * (randomAt(seed, column, line) - 0.5);
      const tilt = 0.16 * (randomAt(seed + 1, column, line) - 0.5);
      const slope = 0.18 * (randomAt(seed + 2, column, line) - 0.5);
      const edge = 0.16 * side * (bevelLight(left, row.blurU) - bevelLight(right, row.blurU));
      const light = 1 + tone + tilt * inside + slope * (left / width - 0.5) + bevel + edge + (wave[i] ?? 0);
      const share = Math.max(level, jointShare(Math.min(left, right), row.blurU));
      for (let c = 0; c < 3; c++) {
        const tile = (glaze[c] ?? 0) * light;
        out[to++] = tile + ((joint[c] ?? 0) - tile) * share;
      }
    }
  };
}
