/** Where linear interpolation looks: for each position of a row the two of another between which it lies. Pure. */
export interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** How much the second counts, 0..1. */
  readonly share: Float32Array;
}

/** @param place of each of `length` positions on a row of `count`; beyond its ends the last value counts */
export function linearTaps(length: number, count: number, place: (index: number) => number): LinearTaps {
  const at = Float32Array.from({ length }, (_, i) => Math.max(0, Math.min(count - 1, place(i))));
  const first = Int32Array.from(at);
  const second = first.map((i) => Math.min(count - 1, i + 1));
  return { first, second, share: at.map((position, i) => position - (first[i] ?? 0)) };
}
