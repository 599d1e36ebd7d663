/** Places inside a product through which its background is seen: handles, rings, sieves. */
import type { Alpha } from "../../../gpu-runner/pipeline/raster.ts";

const HALF = 128;
/** Smaller ones nobody sees: share of the product with its holes, and pixels. */
const SMALLEST = { share: 0.001, pixels: 64 };
/** A hole is open over most of its area; what glass lets through is no hole. */
const OPEN_LEVEL = 5;

export interface Hole {
  readonly pixels: Int32Array;
}

const onFrame = (index: number, { width, height }: Alpha) =>
  index < width || index >= width * (height - 1) || index % width === 0 || index % width === width - 1;

/** Grows from `start` over 4-connected pixels that are less than half opaque; none of them lies on the frame
 * unless the group touches it, and there growing may wrap round: such a group is no hole anyway. */
function grow(start: number, exact: Alpha, seen: Uint8Array) {
  const members = [start];
  let touchesFrame = false;
  seen[start] = 1;
  for (let at = 0; at < members.length; at++) {
    const index = members[at] ?? 0;
    if (onFrame(index, exact)) touchesFrame = true;
    for (const next of [index - 1, index + 1, index - exact.width, index + exact.width]) {
      if (seen[next] !== 0 || (exact.data[next] ?? 0) >= HALF) continue;
      seen[next] = 1;
      members.push(next);
    }
  }
  return { members, touchesFrame };
}

const isOpen = (members: readonly number[], { data }: Alpha) =>
  members.filter((index) => (data[index] ?? 0) <= OPEN_LEVEL).length > members.length / 2;

/** The holes of an exact matte: clear parts that are closed in by the product on all sides. */
export function findHoles(exact: Alpha): Hole[] {
  const seen = new Uint8Array(exact.data.length);
  const closed: number[][] = [];
  let product = 0;
  exact.data.forEach((level, index) => {
    if (level >= HALF) product++;
    else if (seen[index] !== 1) {
      const { members, touchesFrame } = grow(index, exact, seen);
      if (!touchesFrame && isOpen(members, exact)) closed.push(members);
    }
  });
  const whole = closed.reduce((sum, hole) => sum + hole.length, product);
  return closed
    .filter(({ length }) => length >= SMALLEST.pixels && length >= SMALLEST.share * whole)
    .map((members) => ({ pixels: Int32Array.from(members) }));
}

/** How many of the holes are clear in a matte over most of their area. */
export function holesFound(got: Alpha, holes: readonly Hole[]): number {
  return holes.filter(({ pixels }) => {
    const clear = pixels.reduce((sum, index) => sum + ((got.data[index] ?? 0) < HALF ? 1 : 0), 0);
    return clear > pixels.length / 2;
  }).length;
}
