/**
 * What the scores near edges are, told by the colours there: in a small window round each pixel the score is taken
 * for a line in the colours, slope · colour + offset, fitted by least squares; the lines of neighbours are averaged
 * (He, Sun, Tang: Guided Image Filtering, TPAMI 2013). Unlike there, what colours do not explain is not smoothed
 * away: where a product is as white as its place, the scores know more than the photo. Pure.
 */
import { clamp } from "./back-projection-kernels.ts";
import { eroded } from "./matte.ts";
import type { Alpha, Plane, Rgb } from "./raster.ts";

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
  /** 1 where a line has no slopes. */
  readonly flat: Uint8Array;
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

/** 1 where the score is the same as to the right and below. */
function sameAsNext({ width, height, data }: Plane): Alpha {
  const same = new Uint8Array(data.length).fill(1);
  for (let i = 0; i < data.length; i++) {
    const score = data[i] as number;
    const right = (i + 1) % width === 0 ? score : (data[i + 1] as number);
    const below = data[i + width] ?? score;
    if (Math.abs(right - score) >= LEAST_STEP || Math.abs(below - score) >= LEAST_STEP) same[i] = 0;
  }
  return { width, height, data: same };
}

/** 1 where the whole window has 1. */
const wholeWindows = (marks: Alpha): Alpha => ({
  ...marks,
  data: eroded(marks, { radius: RADIUS, atLeast: 1, beyond: true }),
});

/** Where a line is fitted: the pixels of the window, and where the line is written. */
interface Fitted {
  readonly places: Int32Array;
  readonly lines: Float32Array;
  readonly line: number;
}

/**
 * Writes the line of least squares through a window, its slopes held back where colours hardly vary (by Cramer's
 * rule). Done for every pixel near an edge, it makes no objects.
 * @returns the share of the scores' variance that it explains
 */
function fit({ data: colours }: Rgb, { data: scores }: Plane, { places, lines, line }: Fitted): number {
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
  // From means of products to covariances.
  rr += NOISE - red * red;
  gg += NOISE - green * green;
  bb += NOISE - blue * blue;
  rg -= red * green;
  rb -= red * blue;
  gb -= green * blue;
  rs -= red * score;
  gs -= green * score;
  bs -= blue * score;
  ss -= score * score;
  const [minorR, minorG, minorB] = [gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg];
  const [crossG, crossB, crossGB] = [rr * bb - rb * rb, rr * gg - rg * rg, rg * rb - rr * gb];
  const determinant = rr * minorR + rg * minorG + rb * minorB;
  const slopeR = (minorR * rs + minorG * gs + minorB * bs) / determinant;
  const slopeG = (minorG * rs + crossG * gs + crossGB * bs) / determinant;
  const slopeB = (minorB * rs + crossGB * gs + crossB * bs) / determinant;
  lines[line] = slopeR;
  lines[line + 1] = slopeG;
  lines[line + 2] = slopeB;
  lines[line + OFFSET] = score - slopeR * red - slopeG * green - slopeB * blue;
  return ss > 0 ? Math.max(0, Math.min(1, (slopeR * rs + slopeG * gs + slopeB * bs) / ss)) : 0;
}

function withoutSlopes({ data }: Plane): Float32Array {
  const values = new Float32Array(data.length * LINE);
  for (let i = 0; i < data.length; i++) values[i * LINE + OFFSET] = data[i] as number;
  return values;
}

/** Writes the mean of a window's lines at `at`. */
function averageInto(to: Float32Array, at: number, from: Float32Array, places: Int32Array): void {
  for (let k = 0; k < LINE; k++) {
    let sum = 0;
    for (let n = 0; n < WINDOW; n++) sum += from[(places[n] as number) * LINE + k] as number;
    to[at + k] = sum / WINDOW;
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
  const even = wholeWindows(sameAsNext(scores));
  for (let i = 0; i < even.data.length; i++) {
    if (even.data[i] === 1) continue;
    windowAt(places, i, scores);
    unexplained[i] = 1 - fit(colours, scores, { places, lines: own, line: i * LINE });
  }
  const { data: flat } = wholeWindows(even);
  const values = own.slice();
  for (let i = 0; i < flat.length; i++) {
    if (flat[i] === 1) continue;
    windowAt(places, i, scores);
    averageInto(values, i * LINE, own, places);
    const missing = (scores.data[i] as number) - scoreBy(values, i * LINE, colours.data, i * 3);
    const offset = i * LINE + OFFSET;
    values[offset] = (values[offset] as number) + (unexplained[i] as number) * missing;
  }
  return { values, flat };
}
