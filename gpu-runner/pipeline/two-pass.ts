/**
 * A second look at the product alone, closer than the first at the whole picture. The first pass knows what the
 * product is, the second where its edges and small holes are; `fusePasses` lets each speak of what it knows.
 */
import type { Box } from "#crds/runner-report.ts";
import { boxBlur } from "./blur.ts";
import { cropPlane, type Plane } from "./raster.ts";

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

const ramp = (value: number, { from, to }: { from: number; to: number }) =>
  between((value - from) / (to - from), 0, 1);

/** 0 at sides of the box that lie inside the picture, 1 away from them: the look's end leaves no line. */
function seamWeight(x: number, y: number, { box, picture }: { box: Box; picture: Size }): number {
  const distances = [
    box.x > 0 ? x : Infinity,
    box.y > 0 ? y : Infinity,
    box.x + box.width < picture.width ? box.width - 1 - x : Infinity,
    box.y + box.height < picture.height ? box.height - 1 - y : Infinity,
  ];
  return Math.min(1, (1 + Math.min(...distances)) / (SEAM * Math.max(box.width, box.height)));
}

/** How far the second pass is believed, 0..1, for each pixel of the look. */
function trust(first: Plane, second: Plane): Plane {
  const longer = Math.max(first.width, first.height);
  const nearby = boxBlur(first, Math.max(2, Math.round(NEARBY * longer)));
  const difference = { ...first, data: first.data.map((score, i) => (second.data[i] ?? 0) - score) };
  const regional = boxBlur(difference, Math.max(2, Math.round(REGION * longer)));
  const data = nearby.data.map(
    (near, i) => ramp(near, NEAR_PRODUCT) * (1 - ramp(Math.abs(regional.data[i] ?? 0), DISAGREEMENT)),
  );
  return { ...first, data };
}

/**
 * Scores of the whole picture with those of the second look where they can be believed: in and round the product
 * of the first pass, unless whole regions differ. A hole that only the closer look shows is opened that way, a
 * part of the product that it lost is not.
 * @param first scores 0..1 of the whole picture; @param second those of `box`, of its size.
 */
export function fusePasses(first: Plane, second: Plane, box: Box): Plane {
  const fused = { ...first, data: Float32Array.from(first.data) };
  const believed = trust(cropPlane(first, box), second);
  for (let y = 0, i = 0; y < box.height; y++) {
    let to = (box.y + y) * first.width + box.x;
    for (let x = 0; x < box.width; x++, i++, to++) {
      const weight = (believed.data[i] ?? 0) * seamWeight(x, y, { box, picture: first });
      const score = first.data[to] ?? 0;
      fused.data[to] = score + weight * ((second.data[i] ?? 0) - score);
    }
  }
  return fused;
}

/** The first pass' scores with the second's in their place inside the box: what the second pass alone says. */
export function overlay(first: Plane, second: Plane, box: Box): Plane {
  const data = Float32Array.from(first.data);
  for (let y = 0; y < box.height; y++) {
    const row = second.data.subarray(y * box.width, (y + 1) * box.width);
    data.set(row, (box.y + y) * first.width + box.x);
  }
  return { ...first, data };
}
