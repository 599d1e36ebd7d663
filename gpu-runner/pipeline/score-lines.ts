/**
 * What the scores near edges are, told by the colours there: in a small window round each pixel the score is taken
 * for a line in the colours, slope · colour + offset, fitted by least squares; the lines of neighbours are averaged
 * (He, Sun, Tang: Guided Image Filtering, TPAMI 2013). Unlike there, what colours do not explain is not smoothed
 * away: where a product is as white as its place, the scores know more than the photo. Pure.
 */
import { clamp } from "./back-projection-kernels.ts";
import type { Plane, Rgb } from "./raster.ts";

/** Of the window, in pixels. Larger ones follow the product's own pattern across its edge. */
const RADIUS = 1;
const WINDOW = (2 * RADIUS + 1) ** 2;
/** Colours that vary less, in squared levels of 255, tell nothing: that is noise. */
const NOISE = 36;
/** Neighbours whose scores differ by less are no edge. */
const LEAST_STEP = 1 / 255;

/** Values of a line: slopes along red, green and blue, in scores a level, and the offset. */
export const LINE = 4;
const OFFSET = 3;

export interface ScoreLines {
  /** LINE values a pixel; away from edges the slopes are 0 and the offset is the score. */
  readonly values: Float32Array;
  /** 1 where a line has slopes. */
  readonly near: Uint8Array;
}

/** The places of a pixel's window; beyond the end the last row or column counts again. */
function windowAt(places: Int32Array, index: number, { width, height }: Plane): void {
  const [x, y] = [index % width, Math.floor(index / width)];
  let k = 0;
  for (let dy = -RADIUS; dy <= RADIUS; dy++) {
    const row = clamp(y + dy, height) * width;
    for (let dx = -RADIUS; dx <= RADIUS; dx++) places[k++] = row + clamp(x + dx, width);
  }
}

/** 1 where the score is another one than to the right or below. */
function steps({ width, data }: Plane): Uint8Array {
  const found = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const score = data[i] as number;
    const right = (i + 1) % width === 0 ? score : (data[i + 1] as number);
    const below = data[i + width] ?? score;
    if (Math.abs(right - score) >= LEAST_STEP || Math.abs(below - score) >= LEAST_STEP) found[i] = 1;
  }
  return found;
}

/** 1 in the window of every pixel that has 1. */
function spread(marks: Uint8Array, size: Plane): Uint8Array {
  const wide = new Uint8Array(marks.length);
  const places = new Int32Array(WINDOW);
  for (let i = 0; i < marks.length; i++) {
    if (marks[i] === 0) continue;
    windowAt(places, i, size);
    for (const place of places) wide[place] = 1;
  }
  return wide;
}

/** Means over a window. */
interface Moments {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly score: number;
  /** Covariances of two colours, of a colour and the score, and the score's variance. */
  readonly rr: number;
  readonly rg: number;
  readonly rb: number;
  readonly gg: number;
  readonly gb: number;
  readonly bb: number;
  readonly rs: number;
  readonly gs: number;
  readonly bs: number;
  readonly ss: number;
}

function momentsIn(places: Int32Array, { data: colours }: Rgb, { data: scores }: Plane): Moments {
  let [red, green, blue, score] = [0, 0, 0, 0];
  let [rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0];
  let [rs, gs, bs, ss] = [0, 0, 0, 0];
  const share = 1 / WINDOW;
  for (let k = 0; k < WINDOW; k++) {
    const place = places[k] as number;
    const r = colours[place * 3] as number;
    const g = colours[place * 3 + 1] as number;
    const b = colours[place * 3 + 2] as number;
    const s = scores[place] as number;
    red += r * share;
    green += g * share;
    blue += b * share;
    score += s * share;
    rr += r * r * share;
    rg += r * g * share;
    rb += r * b * share;
    gg += g * g * share;
    gb += g * b * share;
    bb += b * b * share;
    rs += r * s * share;
    gs += g * s * share;
    bs += b * s * share;
    ss += s * s * share;
  }
  return {
    red,
    green,
    blue,
    score,
    rr: rr - red * red,
    rg: rg - red * green,
    rb: rb - red * blue,
    gg: gg - green * green,
    gb: gb - green * blue,
    bb: bb - blue * blue,
    rs: rs - red * score,
    gs: gs - green * score,
    bs: bs - blue * score,
    ss: ss - score * score,
  };
}

/**
 * The line of least squares through a window, its slopes held back where colours hardly vary (by Cramer's rule).
 * @returns the share of the scores' variance that it explains
 */
function fit({ rr, rg, rb, gg, gb, bb, rs, gs, bs, ss, ...mean }: Moments, line: Float32Array): number {
  const [r, g, b] = [rr + NOISE, gg + NOISE, bb + NOISE];
  const [minorR, minorG, minorB] = [g * b - gb * gb, rb * gb - rg * b, rg * gb - rb * g];
  const [crossG, crossB, crossGB] = [r * b - rb * rb, r * g - rg * rg, rg * rb - r * gb];
  const determinant = r * minorR + rg * minorG + rb * minorB;
  const red = (minorR * rs + minorG * gs + minorB * bs) / determinant;
  const green = (minorG * rs + crossG * gs + crossGB * bs) / determinant;
  const blue = (minorB * rs + crossGB * gs + crossB * bs) / determinant;
  line.set([red, green, blue, mean.score - red * mean.red - green * mean.green - blue * mean.blue]);
  return ss > 0 ? Math.max(0, Math.min(1, (red * rs + green * gs + blue * bs) / ss)) : 0;
}

function withoutSlopes({ data }: Plane): Float32Array {
  const values = new Float32Array(data.length * LINE);
  for (let i = 0; i < data.length; i++) values[i * LINE + OFFSET] = data[i] as number;
  return values;
}

function averageInto(to: Float32Array, from: Float32Array, places: Int32Array): void {
  to.fill(0);
  for (let i = 0; i < WINDOW * LINE; i++) {
    const [place, k] = [places[Math.floor(i / LINE)] as number, i % LINE];
    to[k] = (to[k] as number) + (from[place * LINE + k] as number) / WINDOW;
  }
}

/** The score that a line gives a colour. @param line, colour: where they begin */
export function scoreBy(lines: Float32Array, line: number, colours: Uint8Array, colour: number): number {
  return (
    (lines[line] as number) * (colours[colour] as number) +
    (lines[line + 1] as number) * (colours[colour + 1] as number) +
    (lines[line + 2] as number) * (colours[colour + 2] as number) +
    (lines[line + OFFSET] as number)
  );
}

/** @param colours a picture; @param scores of it, 0..1, of its size. */
export function scoreLines(colours: Rgb, scores: Plane): ScoreLines {
  const own = withoutSlopes(scores);
  const unexplained = new Float32Array(scores.data.length).fill(1);
  const places = new Int32Array(WINDOW);
  const edges = spread(steps(scores), scores);
  for (let i = 0; i < edges.length; i++) {
    if (edges[i] === 0) continue;
    windowAt(places, i, scores);
    const line = own.subarray(i * LINE, (i + 1) * LINE);
    unexplained[i] = 1 - fit(momentsIn(places, colours, scores), line);
  }
  const near = spread(edges, scores);
  const values = own.slice();
  for (let i = 0; i < near.length; i++) {
    if (near[i] === 0) continue;
    windowAt(places, i, scores);
    averageInto(values.subarray(i * LINE, (i + 1) * LINE), own, places);
    const missing = (scores.data[i] as number) - scoreBy(values, i * LINE, colours.data, i * 3);
    const offset = i * LINE + OFFSET;
    values[offset] = (values[offset] as number) + (unexplained[i] as number) * missing;
  }
  return { values, near };
}
