/** Planks along u: growth rings that bend round knots, fibres, pores, and a dark joint between two boards. */
import type { Colour } from "./oklab.ts";
import { randomAt } from "./noise.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { kept, layOctaves, makeNoiseTable, type Octave, smoothStep, type SurfaceRow } from "./noise-table.ts";

export interface Wood {
  readonly light: Colour;
  readonly dark: Colour;
  readonly seed: number;
  /** Width of a board, in units; boards are about ten times as long. */
  readonly board: number;
}

const WARP: readonly Octave[] = [
  { u: 0.4, v: 1.5, gain: 1 },
  { u: 1.1, v: 4, gain: 0.3 },
];
const FIBRES: readonly Octave[] = [
  { u: 0.28, v: 8, gain: 0.3 },
  { u: 0.7, v: 22, gain: 0.34 },
  { u: 2.1, v: 64, gain: 0.36 },
  { u: 6, v: 150, gain: 0.34 },
  { u: 11, v: 290, gain: 0.3 },
];
const PORES: readonly Octave[] = [{ u: 15, v: 210, gain: 1 }];
const KNOT_EVERY = 2.6;
/** Width of the dark line between two boards, in units. */
const JOINT = 0.004;

interface Knot {
  readonly u: number;
  readonly v: number;
  readonly size: number;
}

/** The knot of a stretch of a board, or none: of size 0. */
function knotOf(seed: number, board: number, stretch: number): Knot {
  const chance = randomAt(seed + 31, board, stretch);
  return {
    u: (stretch + 0.15 + 0.7 * randomAt(seed + 32, board, stretch)) * KNOT_EVERY,
    v: 0.25 + 0.5 * randomAt(seed + 33, board, stretch),
    size: chance < 0.3 ? 0.5 + 1.6 * chance : 0,
  };
}

/** One row of a board. */
interface BoardRow {
  readonly row: SurfaceRow;
  readonly board: number;
  /** Place within the board, 0..1. */
  readonly across: number;
}

export function wood({ light, dark, seed, board }: Wood): Material {
  const table = makeNoiseTable(seed + 17);
  const scratch = () => new Float32Array(MAX_ROW);
  const [warp, fibre, pore, tones, beside] = [scratch(), scratch(), scratch(), scratch(), scratch()];
  /** Each board is cut from another place of the tree. */
  const cutFrom = (row: SurfaceRow, index: number): SurfaceRow => ({
    ...row,
    u0: row.u0 + 173 * randomAt(seed, index, 1),
    v: row.v + 61 * randomAt(seed, index, 2),
  });
  /** Light and dark along the row, 0 to 1 and a little beyond. */
  const layTones = ({ row, board: index, across }: BoardRow, out: Float32Array) => {
    const own = cutFrom(row, index);
    layOctaves(table, own, WARP, warp);
    layOctaves(table, own, FIBRES, fibre);
    layOctaves(table, own, PORES, pore);
    const base = 0.36 + 0.34 * (randomAt(seed, index, 3) - 0.5);
    const density = 2.6 + 2.4 * randomAt(seed, index, 4);
    const ringKept = 0.26 * kept(row, 1.2, (density * 2) / board);
    const poreKept = kept(row, 6, 60);
    let stretch = Number.NaN;
    let knot: Knot = { u: 0, v: 0, size: 0 };
    for (let i = 0; i < row.count; i++) {
      const u = own.u0 + i * own.du;
      const at = Math.floor(u / KNOT_EVERY);
      if (at !== stretch) [stretch, knot] = [at, knotOf(seed, index, at)];
      let phase = across * density + 0.95 * (warp[i] ?? 0);
      let core = 0;
      if (knot.size > 0) {
        const [alongKnot, acrossKnot] = [0.13 * knot.size, 0.05 * knot.size];
        const [wide, high] = [Math.hypot(alongKnot, row.blurU), Math.hypot(acrossKnot, row.blurV)];
        const [ku, kv] = [(u - knot.u) / wide, ((across - knot.v) * board) / high];
        const distance = ku * ku + kv * kv;
        if (distance < 24) {
          phase +=
            1.5 * Math.exp(-0.28 * distance) * (kv / (0.4 + Math.abs(kv))) + 0.5 * Math.exp(-0.2 * distance);
          core = ((alongKnot * acrossKnot) / (wide * high)) * Math.exp(-1.6 * distance);
        }
      }
      const wave = 0.5 + 0.5 * Math.sin(6.2832 * phase);
      const ring = wave * wave * (1.6 - 0.6 * wave) - 0.4;
      const hole = poreKept * smoothStep(0.5, 0.85, pore[i] ?? 0);
      out[i] = base + ringKept * ring + 0.42 * (fibre[i] ?? 0) + 0.3 * hole + 0.75 * core;
    }
  };
  /** Out of focus, boards run into each other where they meet. */
  const layBoards = (own: BoardRow, away: number) => {
    layTones(own, tones);
    if (away >= 1) return;
    const toNext = own.across > 0.5;
    layTones({ ...own, board: own.board + (toNext ? 1 : -1), across: toNext ? 0 : 1 }, beside);
    const share = 1 - smoothStep(-1, 1, away);
    for (let i = 0; i < own.row.count; i++) {
      tones[i] = (tones[i] ?? 0) + share * ((beside[i] ?? 0) - (tones[i] ?? 0));
    }
  };
  return (row, out) => {
    // No joint under the product's foot, which stands at 0.
    const boards = row.v / board + 0.3 + 0.4 * randomAt(seed, 0, 7);
    const index = Math.floor(boards);
    const across = boards - index;
    const toJoint = Math.min(across, 1 - across) * board;
    const away = toJoint / (1.2 * row.blurV);
    layBoards({ row, board: index, across }, away);
    const joint = jointLight(toJoint, row.blurV);
    // Seen along, an end's joint would stand out of all others, which the low view flattens.
    const endDepth = 0.5 * smoothStep(0, 1, away);
    const endReach = 3 * Math.hypot(JOINT, row.blurU);
    const length = board * (8 + 4 * randomAt(seed, index, 5));
    const first = length * randomAt(seed, index, 6);
    for (let i = 0, to = 0; i < row.count; i++) {
      const u = row.u0 + i * row.du;
      const end = Math.abs(((((u - first) % length) + length) % length) - length / 2);
      const t = Math.min(1.15, Math.max(0, tones[i] ?? 0));
      const shadow = joint * (end < endReach ? 1 - endDepth * (1 - jointLight(end, row.blurU)) : 1);
      out[to++] = (light[0] + (dark[0] - light[0]) * t) * shadow;
      out[to++] = (light[1] + (dark[1] - light[1]) * t) * shadow;
      out[to++] = (light[2] + (dark[2] - light[2]) * t) * shadow;
    }
  };
}

/** Light left at a distance from a joint; defocus spreads the dark line and weakens it. */
function jointLight(distance: number, blur: number): number {
  const width = Math.hypot(JOINT, blur);
  return 1 - 0.82 * (JOINT / width) * Math.exp(-((distance / width) ** 2));
}
