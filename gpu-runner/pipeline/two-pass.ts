/**
 * A second look at the product alone, closer than the first at the whole picture. The first pass knows what the
 * product is, the second where its edges and small holes are; `fusePasses` lets each speak of what it knows.
 */
import type { Box } from "#crds/runner-report.ts";
import { boxBlur } from "./blur.ts";
import { newPlane, type Plane } from "./raster.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface SecondLook {
  /** What is looked at, in pixels of the picture. */
  readonly box: Box;
  /** How much larger than at first the product is seen, 1 not at all. */
  readonly magnification: number;
}

/** Room round the product, as a share of its longer side. */
const MARGIN = 0.08;
/** Seen larger than this multiple of the photo's own pixels, a picture is a blur that no model was trained on. */
const MOST_ENLARGED = 4;

const between = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

function span(start: number, length: number, wanted: number, whole: number): [start: number, length: number] {
  const size = Math.min(whole, wanted);
  return [between(Math.round(start + length / 2 - size / 2), 0, whole - size), size];
}

/** A square round the product, as far as the picture goes: squashed less than the product's own narrow box. */
export function planSecondLook(product: Box, picture: Size, modelSize: number): SecondLook {
  const longer = Math.max(product.width, product.height);
  const side = Math.ceil(Math.max(longer * (1 + 2 * MARGIN), modelSize / MOST_ENLARGED));
  const [x, width] = span(product.x, product.width, side, picture.width);
  const [y, height] = span(product.y, product.height, side, picture.height);
  const magnification = Math.sqrt((picture.width * picture.height) / (width * height));
  return { box: { x, y, width, height }, magnification };
}

/** Width of the seam and of the windows in which the passes are compared, as shares of the look's longer side. */
const SEAM = 0.04;
const NEARBY = 0.02;
const REGION = 0.04;
/** The second pass is heard where at least so much of the first pass' product is near, as the mean score there. */
const NEAR_PRODUCT = { from: 0.02, to: 0.1 };
/** Means over a region that differ by more than this are no matter of edges: the first pass knows better. */
const DISAGREEMENT = { from: 0.4, to: 0.7 };
/** Windows are reckoned on blocks, so many to the smaller one's radius. */
const BLOCKS_NEARBY = 4;

const ramp = (value: number, { from, to }: { from: number; to: number }) =>
  between((value - from) / (to - from), 0, 1);

/** Means over blocks of `side` pixels of the box; the last of a row or column may be smaller. */
function blockMeans({ width, data }: Plane, box: Box, side: number): Plane {
  const means = newPlane(Math.ceil(box.width / side), Math.ceil(box.height / side));
  for (let y = 0; y < box.height; y++) {
    const row = Math.floor(y / side);
    const rows = Math.min(side, box.height - row * side);
    for (let block = 0, x = 0; x < box.width; block++) {
      const columns = Math.min(side, box.width - x);
      const start = (box.y + y) * width + box.x + x;
      let sum = 0;
      for (let i = start; i < start + columns; i++) sum += data[i] ?? 0;
      const at = row * means.width + block;
      means.data[at] = (means.data[at] ?? 0) + sum / (rows * columns);
      x += columns;
    }
  }
  return means;
}

/** How far the second pass is believed, 0..1, for each block of the look. */
function trust(first: Plane, second: Plane, box: Box, side: number): Plane {
  const longer = Math.max(box.width, box.height);
  const radius = (share: number) => Math.round(Math.max(2, share * longer) / side);
  const near = blockMeans(first, box, side);
  const more = blockMeans(second, { ...box, x: 0, y: 0 }, side);
  for (const [i, score] of near.data.entries()) more.data[i] = (more.data[i] ?? 0) - score;
  const nearby = boxBlur(near, radius(NEARBY));
  const regional = boxBlur(more, radius(REGION));
  const data = nearby.data.map(
    (score, i) => ramp(score, NEAR_PRODUCT) * (1 - ramp(Math.abs(regional.data[i] ?? 0), DISAGREEMENT)),
  );
  return { ...near, data };
}

interface Places {
  readonly block: Int32Array;
  readonly share: Float32Array;
}

/** Where between two blocks' centres each pixel of a line lies: the earlier block, and the share of the later. */
function places(length: number, side: number): Places {
  const last = Math.ceil(length / side) - 1;
  const [block, share] = [new Int32Array(length), new Float32Array(length)];
  for (let i = 0; i < length; i++) {
    const at = between((i + 0.5) / side - 0.5, 0, last);
    block[i] = Math.min(Math.max(0, last - 1), Math.floor(at));
    share[i] = at - (block[i] ?? 0);
  }
  return { block, share };
}

/** 0 at an end of the line that lies inside the picture, 1 away from it: the look's end leaves no line. */
function seam(length: number, width: number, [startsInside, endsInside]: [boolean, boolean]): Float32Array {
  const weights = new Float32Array(length).fill(1);
  for (let i = 0; i < length; i++) {
    const distance = Math.min(startsInside ? i : Infinity, endsInside ? length - 1 - i : Infinity);
    weights[i] = Math.min(1, (1 + distance) / width);
  }
  return weights;
}

/** The rows of a plane of blocks, each mixed from the two next to a row of pixels. */
function blockRow(blocks: Plane, block: number, share: number, to: Float32Array): void {
  const above = block * blocks.width;
  const below = block + 1 < blocks.height ? above + blocks.width : above;
  for (let x = 0; x < blocks.width; x++) {
    to[x] = (blocks.data[above + x] ?? 0) * (1 - share) + (blocks.data[below + x] ?? 0) * share;
  }
}

interface FusedRow {
  /** The first pass' scores; what is fused goes in their place. */
  readonly scores: Float32Array;
  readonly closer: Float32Array;
  readonly across: Float32Array;
  readonly columns: Places;
  /** How far the second pass is believed, for each block of the row. */
  readonly believed: Float32Array;
  readonly most: number;
}

/** A function for each row, for it is called often enough to be compiled well. */
function fuseRow({ scores, closer, across, columns, believed, most }: FusedRow): void {
  const { block, share } = columns;
  for (let x = 0; x < scores.length; x++) {
    const [at, later] = [block[x] as number, share[x] as number];
    const trusted = (believed[at] as number) * (1 - later) + (believed[at + 1] as number) * later;
    const weight = Math.min(most, across[x] as number) * trusted;
    scores[x] = (scores[x] as number) * (1 - weight) + (closer[x] as number) * weight;
  }
}

/**
 * Scores of the whole picture with those of the second look where they can be believed: in and round the product
 * of the first pass, unless whole regions differ. A hole that only the closer look shows is opened that way, a
 * part of the product that it lost is not.
 * @param first scores 0..1 of the whole picture; @param second those of `box`, of its size.
 */
export function fusePasses(first: Plane, second: Plane, box: Box): Plane {
  const data = first.data.slice();
  const longer = Math.max(box.width, box.height);
  const side = Math.max(1, Math.floor((NEARBY * longer) / BLOCKS_NEARBY));
  const believed = trust(first, second, box, side);
  const [columns, rows] = [places(box.width, side), places(box.height, side)];
  const across = seam(box.width, SEAM * longer, [box.x > 0, box.x + box.width < first.width]);
  const down = seam(box.height, SEAM * longer, [box.y > 0, box.y + box.height < first.height]);
  const weights = new Float32Array(believed.width + 1);
  for (let y = 0; y < box.height; y++) {
    blockRow(believed, rows.block[y] ?? 0, rows.share[y] ?? 0, weights);
    const start = (box.y + y) * first.width + box.x;
    const scores = data.subarray(start, start + box.width);
    const closer = second.data.subarray(y * box.width, (y + 1) * box.width);
    fuseRow({ scores, closer, across, columns, believed: weights, most: down[y] ?? 0 });
  }
  return { ...first, data };
}

/** The first pass' scores with the second's in their place inside the box: what the second pass alone says. */
export function overlay(first: Plane, second: Plane, box: Box): Plane {
  const data = first.data.slice();
  for (let y = 0; y < box.height; y++) {
    const row = second.data.subarray(y * box.width, (y + 1) * box.width);
    data.set(row, (box.y + y) * first.width + box.x);
  }
  return { ...first, data };
}
