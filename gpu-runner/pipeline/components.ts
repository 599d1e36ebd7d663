/** Connected groups of pixels, found a run along a row at a time: a run costs little more than a pixel would. */
import type { Box } from "#crds/runner-report.ts";
import type { Alpha } from "./raster.ts";

/** Both ends count; 0..255. A range and not a function: every pixel of a picture is asked. */
export interface Levels {
  readonly least: number;
  readonly most: number;
}

/** Pixels that hang together by their sides. */
export interface Component {
  readonly pixels: number;
  /** Whether any lies on the picture's edge. */
  readonly touchesEdge: boolean;
  /** Pairs of indexes, in the order of the picture: a run's first pixel, and the one after its last. */
  readonly runs: Int32Array;
}

/** Runs of all rows, joined where they touch. */
class Runs {
  readonly #width: number;
  readonly #levels: Levels;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Each run's way to the first run of its group. */
  readonly #parents: number[] = [];

  constructor(width: number, levels: Levels) {
    this.#width = width;
    this.#levels = levels;
  }

  /** Adds the runs of the row that begins at `start`. */
  addRow(data: Uint8Array, start: number): void {
    const { least, most } = this.#levels;
    const end = start + this.#width;
    const isInside = (level: number) => level >= least && level <= most;
    for (let i = start; i < end; i++) {
      if (!isInside(data[i] as number)) continue;
      const from = i;
      while (i < end && isInside(data[i] as number)) i++;
      this.#parents.push(this.starts.length);
      this.starts.push(from);
      this.ends.push(i);
    }
  }

  /** The first run of a run's group. */
  rootOf(run: number): number {
    let at = run;
    for (let up = this.#parents[at] ?? at; up !== at; up = this.#parents[at] ?? at) {
      this.#parents[at] = this.#parents[up] ?? up;
      at = up;
    }
    return at;
  }

  #join(a: number, b: number): void {
    const [one, other] = [this.rootOf(a), this.rootOf(b)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }

  /** Joins the runs of a row, from `second` on, with those of the row above, from `first` on. */
  joinRows(first: number, second: number): void {
    let [above, below] = [first, second];
    while (above < second && below < this.starts.length) {
      const [aboveEnd, belowEnd] = [(this.ends[above] ?? 0) + this.#width, this.ends[below] ?? 0];
      const [aboveStart, belowStart] = [(this.starts[above] ?? 0) + this.#width, this.starts[below] ?? 0];
      if (aboveStart < belowEnd && belowStart < aboveEnd) this.#join(above, below);
      if (aboveEnd < belowEnd) above++;
      else below++;
    }
  }
}

function runsOf({ width, height, data }: Alpha, levels: Levels): Runs {
  const runs = new Runs(width, levels);
  let above = 0;
  for (let y = 0; y < height; y++) {
    const row = runs.starts.length;
    runs.addRow(data, y * width);
    runs.joinRows(above, row);
    above = row;
  }
  return runs;
}

/** All 4-connected groups of pixels whose level is in the range, in the order of their first pixels. */
export function components(picture: Alpha, levels: Levels): Component[] {
  const runs = runsOf(picture, levels);
  const groups = new Map<number, number[]>();
  for (const [run, start] of runs.starts.entries()) {
    const root = runs.rootOf(run);
    const group = groups.get(root) ?? [];
    if (root === run) groups.set(root, group);
    group.push(start, runs.ends[run] ?? start);
  }
  return Array.from(groups.values(), (group) => componentOf(Int32Array.from(group), picture));
}

function componentOf(runs: Int32Array, { width, height }: Alpha): Component {
  let [pixels, touchesEdge] = [0, (runs[0] ?? 0) < width || (runs.at(-1) ?? 0) > (height - 1) * width];
  for (let k = 0; k < runs.length; k += 2) {
    const [start, end] = [runs[k] ?? 0, runs[k + 1] ?? 0];
    pixels += end - start;
    touchesEdge ||= start % width === 0 || end % width === 0;
  }
  return { pixels, touchesEdge, runs };
}

/** @param width of the picture */
export function boxOf({ runs }: Component, width: number): Box {
  let [left, right] = [width, 0];
  for (let k = 0; k < runs.length; k += 2) {
    const x = (runs[k] ?? 0) % width;
    left = Math.min(left, x);
    right = Math.max(right, x + (runs[k + 1] ?? 0) - (runs[k] ?? 0));
  }
  const [top, bottom] = [Math.floor((runs[0] ?? 0) / width), Math.floor((runs.at(-2) ?? 0) / width)];
  return { x: left, y: top, width: right - left, height: bottom - top + 1 };
}

/** Visits a group's pixels, in the order of the picture. */
export function forEachPixel({ runs }: Component, visit: (index: number) => void): void {
  for (let k = 0; k < runs.length; k += 2) {
    const end = runs[k + 1] ?? 0;
    for (let i = runs[k] ?? 0; i < end; i++) visit(i);
  }
}

/** How many of a group's pixels are so. */
export function countIn(component: Component, isSo: (index: number) => boolean): number {
  let count = 0;
  forEachPixel(component, (i) => {
    if (isSo(i)) count++;
  });
  return count;
}
