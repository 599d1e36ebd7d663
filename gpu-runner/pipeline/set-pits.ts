/** The pits that air bubbles leave in cast concrete: round, few, of all sizes, in loose clusters. */
import { randomAt } from "./noise.ts";
import type { SurfaceRow } from "./noise-table.ts";

/** Cells a unit; each holds one pit at most, away from its borders, so that none is cut. */
const CELLS = 24;
/** Largest radius, as a share of a cell. */
const LARGEST = 0.2;
/** Share of the cells that hold a pit where there are most. */
const FILLED = 0.22;

interface Pit {
  /** In units; radius 0: none. */
  readonly u: number;
  readonly v: number;
  readonly radius: number;
}

const NO_PIT: Pit = { u: 0, v: 0, radius: 0 };

function pitOf(seed: number, column: number, row: number): Pit {
  const cluster = randomAt(seed + 91, Math.floor(column / 5), Math.floor(row / 5));
  if (randomAt(seed + 92, column, row) > FILLED * cluster * cluster) return NO_PIT;
  const place = (n: number) => LARGEST + (1 - 2 * LARGEST) * randomAt(seed + n, column, row);
  const size = randomAt(seed + 95, column, row);
  return {
    u: (column + place(93)) / CELLS,
    v: (row + place(94)) / CELLS,
    radius: (LARGEST * (0.2 + 0.8 * size ** 3)) / CELLS,
  };
}

/** How deep in a pit each pixel of a row lies, 0..1, written over `out`. Out of focus a pit is wider and fainter. */
export function layPits(row: SurfaceRow, seed: number, out: Float32Array): void {
  out.fill(0, 0, row.count);
  const line = Math.floor(row.v * CELLS);
  const first = Math.floor(row.u0 * CELLS);
  const last = Math.floor((row.u0 + row.count * row.du) * CELLS);
  for (let column = first; column <= last; column++) {
    const pit = pitOf(seed, column, line);
    if (pit.radius === 0) continue;
    const [wide, high] = [Math.hypot(pit.radius, row.blurU), Math.hypot(pit.radius, row.blurV)];
    // Fainter than its share of what is seen: a wall of soft spots would look soiled.
    const strength = (pit.radius ** 2 / (wide * high)) ** 1.6;
    const across = ((row.v - pit.v) / high) ** 2;
    const from = Math.max(0, Math.ceil((pit.u - 1.5 * wide - row.u0) / row.du));
    const to = Math.min(row.count - 1, Math.floor((pit.u + 1.5 * wide - row.u0) / row.du));
    for (let i = from; i <= to; i++) {
      const away = ((row.u0 + i * row.du - pit.u) / wide) ** 2 + across;
      if (away < 2) out[i] = strength * Math.min(1, (2 - away) ** 2 / 2);
    }
  }
}
