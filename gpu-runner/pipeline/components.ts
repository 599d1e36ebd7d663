import type { Alpha } from "./raster.ts";

/** A connected group of pixels. `members` is reused by the next group: copy what is to be kept. */
interface Component {
  readonly members: Int32Array;
  readonly touchesEdge: boolean;
}

/** 4-connected groups of pixels for which `isInside` holds. */
function* components(
  size: { width: number; height: number },
  isInside: (index: number) => boolean,
): Generator<Component> {
  const { width, height } = size;
  const seen = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  for (let first = 0; first < seen.length; first++) {
    if (seen[first] === 1 || !isInside(first)) continue;
    let touchesEdge = false;
    let end = 0;
    queue[end++] = first;
    seen[first] = 1;
    const visit = (index: number) => {
      if (seen[index] === 1 || !isInside(index)) return;
      seen[index] = 1;
      queue[end++] = index;
    };
    for (let at = 0; at < end; at++) {
      const index = queue[at] ?? 0;
      const x = index % width;
      if (x === 0 || x === width - 1 || index < width || index >= seen.length - width) touchesEdge = true;
      if (x > 0) visit(index - 1);
      if (x < width - 1) visit(index + 1);
      if (index >= width) visit(index - width);
      if (index < seen.length - width) visit(index + width);
    }
    yield { members: queue.subarray(0, end), touchesEdge };
  }
}

export interface TidyMatte {
  readonly alpha: Alpha;
  /** Stray specks that were cleared, and pinholes that were closed. */
  readonly specksCleared: number;
  readonly pinholesClosed: number;
}

/** Specks smaller than this share of the largest part are noise of the model, not parts of a product. */
const SPECK_SHARE = 0.01;
/** Enclosed holes smaller than this share of the product are noise; larger ones are real (handles, rings). */
const PINHOLE_SHARE = 0.0004;

/** Clears stray specks away from the product and closes pinholes inside it; soft edges stay as they are. */
export function tidyMatte(matte: Alpha): TidyMatte {
  const data = Uint8Array.from(matte.data);
  const parts = partSizes(matte);
  const largest = parts.reduce((most, size) => Math.max(most, size), 0);
  const area = parts.reduce((sum, size) => sum + size, 0);
  let specksCleared = 0;
  for (const { members } of components(matte, (i) => (matte.data[i] ?? 0) > 0)) {
    if (members.length >= largest * SPECK_SHARE) continue;
    for (const index of members) data[index] = 0;
    specksCleared++;
  }
  let pinholesClosed = 0;
  for (const { members, touchesEdge } of components(matte, (i) => (matte.data[i] ?? 0) < 255)) {
    if (touchesEdge || members.length > Math.max(4, area * PINHOLE_SHARE)) continue;
    for (const index of members) data[index] = 255;
    pinholesClosed++;
  }
  return { alpha: { ...matte, data }, specksCleared, pinholesClosed };
}

function partSizes(matte: Alpha): number[] {
  return Array.from(
    components(matte, (i) => (matte.data[i] ?? 0) > 0),
    ({ members }) => members.length,
  );
}
