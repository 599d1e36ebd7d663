/** The weights by which a picture is shrunk and enlarged while it is matched to its source. */
import { catmullRom } from "./resample.ts";

/** Small pixels that a large pixel is made from, and that a small one reaches over in the large picture. */
export const TAPS = 4;
/** A small pixel that is enlarged and shrunk again depends on so many on either side. */
export const ROUND_REACH = 3;
export const WINDOW = 2 * ROUND_REACH + 1;

export interface Kernels {
  readonly factor: number;
  /** Weights of the TAPS · factor large pixels round a small one, symmetric. */
  readonly shrinking: Float32Array;
  /** For each large pixel within a small one, the weights of the TAPS small pixels round it. */
  readonly enlarging: Float32Array;
}

export function kernelsOf(factor: number): Kernels {
  const shrinking = Float32Array.from({ length: TAPS * factor }, (_, k) =>
    catmullRom((k + 0.5 - 2 * factor) / factor),
  );
  const sum = shrinking.reduce((total, weight) => total + weight, 0);
  const enlarging = new Float32Array(TAPS * factor);
  for (let phase = 0; phase < factor; phase++) {
    const centre = (phase + 0.5) / factor - 0.5;
    const first = Math.floor(centre) - 1;
    for (let k = 0; k < TAPS; k++) enlarging[phase * TAPS + k] = catmullRom(centre - first - k);
  }
  return { factor, shrinking: shrinking.map((weight) => weight / sum), enlarging };
}

/** The first large pixel under a small one, seen from the small pixel's first own. */
export const firstShrunk = (factor: number) => factor / 2 - 2 * factor;

/** The first small pixel that a large pixel is made from, seen from the small one that it lies in. */
export const firstEnlarged = (phase: number, factor: number) => (phase < factor / 2 ? -2 : -1);

/** The nearest index of so many: beyond its ends a row repeats its first and last. */
export const clamp = (index: number, length: number) => Math.min(length - 1, Math.max(0, index));

/**
 * For each of `length` small pixels in a row, how much of each of its 2 · ROUND_REACH + 1 neighbours comes back when
 * the row is enlarged and shrunk again, edges repeated both times.
 */
export function roundTrip(length: number, { factor, shrinking, enlarging }: Kernels): Float32Array {
  const out = new Float32Array(length * WINDOW);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < shrinking.length; k++) {
      const large = clamp(i * factor + firstShrunk(factor) + k, length * factor);
      const phase = large % factor;
      const first = (large - phase) / factor + firstEnlarged(phase, factor);
      for (let tap = 0; tap < TAPS; tap++) {
        const to = i * WINDOW + clamp(first + tap, length) - i + ROUND_REACH;
        out[to] = (out[to] ?? 0) + (shrinking[k] ?? 0) * (enlarging[phase * TAPS + tap] ?? 0);
      }
    }
  }
  return out;
}
