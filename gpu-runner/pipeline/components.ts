import type { Alpha, Plane } from "./raster.ts";

/** A connected group of pixels. `members` is reused by the next group: copy what is to be kept. */
interface Component {
  readonly members: Int32Array;
  readonly touchesEdge: boolean;
}

type Inside = (index: number) => boolean;

/** Collects groups of 4-connected pixels, one at a time. */
class Flood {
  readonly #width: number;
  readonly #seen: Uint8Array;
  readonly #queue: Int32Array;
  readonly #isInside: Inside;
  #end = 0;

  constructor({ width, height }: { width: number; height: number }, isInside: Inside) {
    this.#width = width;
    this.#seen = new Uint8Array(width * height);
    this.#queue = new Int32Array(width * height);
    this.#isInside = isInside;
  }

  #visit(index: number): void {
    if (this.#seen[index] === 1 || !this.#isInside(index)) return;
    this.#seen[index] = 1;
    this.#queue[this.#end++] = index;
  }

  /** Visits the neighbours that exist; true when one does not: the pixel lies on the picture's edge. */
  #spread(index: number): boolean {
    const x = index % this.#width;
    const [isFirst, isLast] = [x === 0, x === this.#width - 1];
    const [isTop, isBottom] = [index < this.#width, index >= this.#seen.length - this.#width];
    if (!isFirst) this.#visit(index - 1);
    if (!isLast) this.#visit(index + 1);
    if (!isTop) this.#visit(index - this.#width);
    if (!isBottom) this.#visit(index + this.#width);
    return isFirst || isLast || isTop || isBottom;
  }

  /** The group of a pixel; undefined when it is in none, or its group was collected before. */
  from(index: number): Component | undefined {
    this.#end = 0;
    this.#visit(index);
    if (this.#end === 0) return undefined;
    let touchesEdge = false;
    for (let at = 0; at < this.#end; at++) touchesEdge = this.#spread(this.#queue[at] ?? 0) || touchesEdge;
    return { members: this.#queue.subarray(0, this.#end), touchesEdge };
  }
}

/** All 4-connected groups of pixels for which `isInside` holds. */
export function* components(size: { width: number; height: number }, isInside: Inside): Generator<Component> {
  const flood = new Flood(size, isInside);
  for (let index = 0; index < size.width * size.height; index++) {
    const component = flood.from(index);
    if (component) yield component;
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

/** A speck or pinhole of at least so many pixels is looked at twice: what is smaller nobody sees. */
const LEAST_EVIDENCE_PIXELS = 12;

/**
 * Whether all passes of two or more say the same of a group: most of it is product, or most of it is not. One
 * pass alone is no evidence for what is small enough to be its noise.
 */
function agreed(members: Int32Array, passes: readonly Plane[], isProduct: boolean): boolean {
  if (passes.length < 2 || members.length < LEAST_EVIDENCE_PIXELS) return false;
  return passes.every(({ data }) => {
    let votes = 0;
    for (const index of members) if ((data[index] ?? 0) >= 0.5 === isProduct) votes++;
    return votes * 2 >= members.length;
  });
}

/** A group of which hardly anything is half opaque is a ghost of what lies behind a product. */
const GHOST = { opacity: 128, share: 0.05 };

function isFaint(members: Int32Array, { data }: Alpha): boolean {
  let solid = 0;
  for (const index of members) if ((data[index] ?? 0) >= GHOST.opacity) solid++;
  return solid < members.length * GHOST.share;
}

interface Group {
  /** Which pixels belong together. */
  readonly isInside: Inside;
  readonly isNoise: (component: Component) => boolean;
  /** What the pixels of a small group become. */
  readonly level: 0 | 255;
}

/** Gives small or faint groups another level, unless every pass has seen them; how many. */
function levelSmall(data: Uint8Array, matte: Alpha, group: Group, passes: readonly Plane[]): number {
  let levelled = 0;
  for (const component of components(matte, group.isInside)) {
    if (!group.isNoise(component) || agreed(component.members, passes, group.level === 0)) continue;
    for (const index of component.members) data[index] = group.level;
    levelled++;
  }
  return levelled;
}

/**
 * Clears stray specks and faint ghosts away from the product and closes pinholes inside it, unless every pass has
 * seen them; soft edges stay as they are.
 * @param passes scores of each pass that looked, of the matte's size, 0..1.
 */
export function tidyMatte(matte: Alpha, passes: readonly Plane[] = []): TidyMatte {
  const data = Uint8Array.from(matte.data);
  const parts = partsOf(matte);
  const largestSpeck = SPECK_SHARE * parts.reduce((most, { size }) => Math.max(most, size), 0);
  const largestPinhole = Math.max(4, PINHOLE_SHARE * parts.reduce((sum, { size }) => sum + size, 0));
  const isFaintAltogether = parts.every(({ faint }) => faint);
  const specks: Group = {
    isInside: (i) => (matte.data[i] ?? 0) > 0,
    isNoise: ({ members }) =>
      members.length < largestSpeck || (!isFaintAltogether && isFaint(members, matte)),
    level: 0,
  };
  const pinholes: Group = {
    isInside: (i) => (matte.data[i] ?? 0) < 255,
    isNoise: ({ members, touchesEdge }) => !touchesEdge && members.length <= largestPinhole,
    level: 255,
  };
  const specksCleared = levelSmall(data, matte, specks, passes);
  const pinholesClosed = levelSmall(data, matte, pinholes, passes);
  return { alpha: { ...matte, data }, specksCleared, pinholesClosed };
}

function partsOf(matte: Alpha): { size: number; faint: boolean }[] {
  return Array.from(
    components(matte, (i) => (matte.data[i] ?? 0) > 0),
    ({ members }) => ({ size: members.length, faint: isFaint(members, matte) }),
  );
}
