/** Clears what a matte has beside the product and closes what it misses inside. */
import { type Component, components, countIn } from "./components.ts";
import type { Alpha, Plane } from "./raster.ts";

export interface TidyMatte {
  readonly alpha: Alpha;
  /** Stray specks that were cleared, and pinholes and reflections that were closed. */
  readonly specksCleared: number;
  readonly pinholesClosed: number;
}

/** Specks smaller than this share of the largest part are noise of the model, not parts of a product. */
const SPECK_SHARE = 0.01;
/** Enclosed holes smaller than this share of the product are noise; larger ones are real (handles, rings). */
const PINHOLE_SHARE = 0.0004;
const LEAST_PINHOLE_PIXELS = 4;
/** An enclosed patch up to this share of the product that is nowhere clear is a reflection; glass is larger. */
const REFLECTION_SHARE = 0.02;
/** Of 255: under this a pixel shows the place behind. */
const CLEAR = 77;

/** A speck or pinhole of at least so many pixels is looked at twice: what is smaller nobody sees. */
const LEAST_EVIDENCE_PIXELS = 12;

/**
 * Whether all passes of two or more say the same of a group: most of it is product, or most of it is not. One
 * pass alone is no evidence for what is small enough to be its noise.
 */
function agreed(group: Component, passes: readonly Plane[], isProduct: boolean): boolean {
  if (passes.length < 2 || group.pixels < LEAST_EVIDENCE_PIXELS) return false;
  return passes.every(
    ({ data }) => countIn(group, (i) => (data[i] ?? 0) >= 0.5 === isProduct) * 2 >= group.pixels,
  );
}

/** Whether a patch that a product encloses shows nothing of what lies behind it. */
const isReflection = (hole: Component, { data }: Alpha) => countIn(hole, (i) => (data[i] ?? 0) < CLEAR) === 0;

/** A group of which hardly anything is half opaque is a ghost of what lies behind a product. */
const GHOST = { opacity: 128, share: 0.05 };

const isFaint = (group: Component, { data }: Alpha) =>
  countIn(group, (i) => (data[i] ?? 0) >= GHOST.opacity) < group.pixels * GHOST.share;

function level({ data }: Alpha, { runs }: Component, to: 0 | 255): void {
  for (let k = 0; k < runs.length; k += 2) data.fill(to, runs[k], runs[k + 1]);
}

/**
 * Clears stray specks and faint ghosts away from the product and closes pinholes inside it, unless every pass has
 * seen them; closes reflections that a model takes for something see-through; soft edges stay as they are.
 * @param passes scores of each pass that looked, of the matte's size, 0..1.
 */
export function tidyMatte(matte: Alpha, passes: readonly Plane[] = []): TidyMatte {
  const alpha = { ...matte, data: Uint8Array.from(matte.data) };
  const parts = components(matte, { least: 1, most: 255 });
  const faint = new Set(parts.filter((part) => isFaint(part, matte)));
  const largestSpeck = SPECK_SHARE * parts.reduce((most, { pixels }) => Math.max(most, pixels), 0);
  const product = parts.reduce((sum, { pixels }) => sum + pixels, 0);
  const largestPinhole = Math.max(LEAST_PINHOLE_PIXELS, PINHOLE_SHARE * product);
  const isGhost = (part: Component) => faint.size < parts.length && faint.has(part);
  const specks = parts.filter(
    (part) => (part.pixels < largestSpeck || isGhost(part)) && !agreed(part, passes, true),
  );
  const isPinhole = (hole: Component) => hole.pixels <= largestPinhole && !agreed(hole, passes, false);
  const pinholes = components(matte, { least: 0, most: 254 }).filter(
    (hole) =>
      !hole.touchesEdge &&
      (isPinhole(hole) || (hole.pixels <= REFLECTION_SHARE * product && isReflection(hole, matte))),
  );
  for (const speck of specks) level(alpha, speck, 0);
  for (const pinhole of pinholes) level(alpha, pinhole, 255);
  return { alpha, specksCleared: specks.length, pinholesClosed: pinholes.length };
}
