/**
 * Terrazzo: chips of stone in cement, ground flat. A chip is the cell of a random point (Worley, 1996), kept
 * away from its neighbours' borders, so chips are angular and never overlap; a second, finer layer lies between.
 */
import { type Colour, mixColours } from "./oklab.ts";
import { randomAt } from "./noise.ts";
import { type Material, MAX_ROW } from "./set-material.ts";
import { kept, layOctaves, makeNoiseTable, type Octave } from "./noise-table.ts";

export interface Terrazzo {
  readonly cement: Colour;
  readonly chips: readonly Colour[];
  readonly seed: number;
}

/** Points of a lattice of cells that repeats after 64, with the number of each cell's chip (-1: none). */
interface Lattice {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly chip: Int8Array;
}

const SIDE = 64;

function makeLattice(seed: number, chips: number, filled: number): Lattice {
  const count = SIDE * SIDE;
  const lattice = {
    x: new Float32Array(count),
    y: new Float32Array(count),
    chip: new Int8Array(count),
  };
  for (let i = 0; i < count; i++) {
    lattice.x[i] = 0.08 + 0.84 * randomAt(seed, i, 1);
    lattice.y[i] = 0.08 + 0.84 * randomAt(seed, i, 2);
    lattice.chip[i] = randomAt(seed, i, 3) < filled ? Math.floor(randomAt(seed, i, 4) * chips) : -1;
  }
  return lattice;
}

/** The nearest point's cell, and how far the border to the next one is, in cells. */
interface Nearest {
  cell: number;
  border: number;
}

function findNearest({ x: xs, y: ys }: Lattice, x: number, y: number, found: Nearest): void {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  let [first, second, cell] = [9, 9, 0];
  for (let r = row - 1; r <= row + 1; r++) {
    const line = (r & (SIDE - 1)) * SIDE;
    for (let c = column - 1; c <= column + 1; c++) {
      const at = line + (c & (SIDE - 1));
      const dx = c + (xs[at] ?? 0) - x;
      const dy = r + (ys[at] ?? 0) - y;
      const distance = dx * dx + dy * dy;
      if (distance < first) {
        second = first;
        first = distance;
        cell = at;
      } else if (distance < second) second = distance;
    }
  }
  found.cell = cell;
  found.border = Math.sqrt(second) - Math.sqrt(first);
}

interface Layer {
  readonly lattice: Lattice;
  /** Cells a unit. */
  readonly cells: number;
  /** Cement round a chip, in cells. */
  readonly gap: number;
}

/** The chip under a point: how much of it is seen, 0..1, which colour it has, and its own shade. */
interface Chip {
  cover: number;
  index: number;
  shade: number;
}

function chipAt(
  layer: Layer,
  [x, y]: readonly [number, number],
  soft: number,
  chip: Chip & Nearest,
): boolean {
  const { lattice, cells, gap } = layer;
  findNearest(lattice, x * cells, y * cells, chip);
  chip.index = lattice.chip[chip.cell] ?? -1;
  if (chip.index < 0) return false;
  // However soft, it is nothing at the cell's border: the neighbour's cement would show the cut.
  const half = (0.03 + cells * soft) / 2;
  const start = Math.max(0, gap - half);
  chip.cover = Math.min(1, Math.max(0, (chip.border - start) / (gap + half - start)));
  chip.shade = 0.12 * ((chip.cell * 0.618) % 1) - 0.06;
  return chip.cover > 0;
}

const SPECKLE: readonly Octave[] = [
  { u: 70, v: 70, gain: 0.05 },
  { u: 210, v: 210, gain: 0.06 },
];

export function terrazzo({ cement, chips, seed }: Terrazzo): Material {
  const table = makeNoiseTable(seed + 3);
  const layers: readonly Layer[] = [
    { lattice: makeLattice(seed + 9, chips.length, 0.42), cells: 25, gap: 0.26 },
    { lattice: makeLattice(seed + 8, chips.length, 0.5), cells: 8.5, gap: 0.2 },
  ];
  const mean = chips.reduce((sum, chip) => mixColours(sum, chip, 0.25), cement);
  const [wobble, speckle] = [new Float32Array(MAX_ROW), new Float32Array(MAX_ROW)];
  const chip = { cell: 0, border: 0, cover: 0, index: -1, shade: 0 };
  return (row, out) => {
    layOctaves(table, row, [{ u: 26, v: 26, gain: 0.004 }], wobble);
    layOctaves(table, row, SPECKLE, speckle);
    const detail = kept(row, 3.2);
    // Out of focus, cement and chips run together to their mean.
    const plain = mixColours(cement, mean, 0.6 * (1 - detail));
    for (let i = 0, to = 0; i < row.count; i++) {
      const shift = wobble[i] ?? 0;
      const at = [row.u0 + i * row.du + shift, row.v + shift] as const;
      let light = 1 + (speckle[i] ?? 0);
      let [red, green, blue] = plain;
      // Chips of the coarse layer lie over those of the fine one, as soft at their edge as they are against cement.
      for (const layer of layers) {
        if (!chipAt(layer, at, row.blurU + row.blurV, chip)) continue;
        const cover = chip.cover * detail;
        const colour = chips[chip.index] ?? plain;
        red += (colour[0] - red) * cover;
        green += (colour[1] - green) * cover;
        blue += (colour[2] - blue) * cover;
        light += chip.shade * cover;
      }
      out[to++] = red * light;
      out[to++] = green * light;
      out[to++] = blue * light;
    }
  };
}
