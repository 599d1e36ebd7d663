/**
 * A counter-based generator: the value at a place depends on the seed and the place alone, so pictures are the
 * same whatever the order, the tile or the machine in which they are made.
 */

/** An evenly spread number in 0..1 (exclusive) for a lattice point. All arguments are taken as 32-bit integers. */
export function randomAt(seed: number, x: number, y: number): number {
  let h = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ Math.imul(seed, 0xc2b2ae3d);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

/** Noise of triangular distribution in -1..1: added before rounding to 8 bits it hides every band. */
export function ditherAt(seed: number, x: number, y: number): number {
  return randomAt(seed, x, y) - randomAt(seed + 1, x, y);
}

/** Smooth noise in -1..1 that changes over about one unit of x and y. */
export function smoothNoiseAt(seed: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const u = fade(x - x0);
  const v = fade(y - y0);
  const top = mix(randomAt(seed, x0, y0), randomAt(seed, x0 + 1, y0), u);
  const bottom = mix(randomAt(seed, x0, y0 + 1), randomAt(seed, x0 + 1, y0 + 1), u);
  return 2 * mix(top, bottom, v) - 1;
}

const mix = (a: number, b: number, t: number) => a + (b - a) * t;
const fade = (t: number) => t * t * t * (t * (t * 6 - 15) + 10);
