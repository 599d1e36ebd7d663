/**
 * A second look at the product alone, closer than the first at the whole picture. The first says where the product
 * is, the second what it is, with its edges and small holes.
 */
import type { Box } from "#crds/runner-report.ts";
import type { Plane } from "./raster.ts";

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
const MARGIN = 0.1;
/** The shorter side of a look is at least this share of the longer one: less of its surroundings would be seen. */
export const NARROWEST_LOOK = 0.6;
/** Seen larger than this multiple of the photo's own pixels, a picture is a blur that no model was trained on. */
const MOST_ENLARGED = 4;

const between = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

function span(start: number, length: number, wanted: number, whole: number): [start: number, length: number] {
  const size = Math.min(whole, wanted);
  return [between(Math.round(start + length / 2 - size / 2), 0, whole - size), size];
}

export interface LookLimits {
  /** The least longer side, in pixels, of the pictures that the model is shown. */
  readonly side: number;
  /** The model takes squares alone: what is not square would be squashed. */
  readonly isSquare: boolean;
}

/** The product with room round it, as far as the picture goes. */
export function planSecondLook(product: Box, picture: Size, { side, isSquare }: LookLimits): SecondLook {
  const longer = Math.max(product.width, product.height);
  const room = 2 * MARGIN * longer;
  const most = Math.ceil(Math.max(longer + room, side / MOST_ENLARGED));
  const least = isSquare ? most : Math.ceil(NARROWEST_LOOK * most);
  const seen = (length: number) =>
    length === longer ? most : between(Math.ceil(length + room), least, most);
  const [x, width] = span(product.x, product.width, seen(product.width), picture.width);
  const [y, height] = span(product.y, product.height, seen(product.height), picture.height);
  const magnification = Math.sqrt((picture.width * picture.height) / (width * height));
  return { box: { x, y, width, height }, magnification };
}

/** Width of the seam at a look's end, as a share of its longer side: well within the room round the product. */
const SEAM = 0.04;

/** Near 0 at an end of the line that lies inside the picture, 1 away from it: the look's end leaves no line. */
function seam(length: number, width: number, [startsInside, endsInside]: [boolean, boolean]): Float32Array {
  const weights = new Float32Array(length).fill(1);
  for (let i = 0; i < length; i++) {
    const distance = Math.min(startsInside ? i : Infinity, endsInside ? length - 1 - i : Infinity);
    weights[i] = Math.min(1, (1 + distance) / width);
  }
  return weights;
}

/**
 * Scores of the whole picture with those of the closer look in their place, which go over into the others at its
 * ends. The closer look alone is better in every part of the product: mixed with the first, mattes get worse.
 * @param first scores 0..1 of the whole picture; @param closer those of `box`, of its size.
 */
export function joinLooks(first: Plane, closer: Plane, box: Box): Plane {
  const data = first.data.slice();
  const width = SEAM * Math.max(box.width, box.height);
  const across = seam(box.width, width, [box.x > 0, box.x + box.width < first.width]);
  const down = seam(box.height, width, [box.y > 0, box.y + box.height < first.height]);
  for (let y = 0; y < box.height; y++) {
    const start = (box.y + y) * first.width + box.x;
    const scores = data.subarray(start, start + box.width);
    const most = down[y] ?? 0;
    for (let x = 0; x < box.width; x++) {
      const weight = Math.min(most, across[x] ?? 0);
      const seen = closer.data[y * box.width + x] ?? 0;
      scores[x] = (scores[x] ?? 0) * (1 - weight) + seen * weight;
    }
  }
  return { ...first, data };
}
