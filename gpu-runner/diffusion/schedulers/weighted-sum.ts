/** The arithmetic of a step: every scheduler adds up samples, outputs and noise, each times a number. */

export type Term = readonly [weight: number, values: Float32Array];

/** Adds the terms to `out`. */
export function addTerms(out: Float32Array, terms: readonly Term[]): Float32Array {
  for (const [weight, values] of terms) {
    for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) + weight * (values[i] ?? 0);
  }
  return out;
}

/** The sum of the terms; into `out`, whatever it held, or into a row of its own. */
export function weightedSum(
  [first, ...others]: readonly [Term, ...Term[]],
  out: Float32Array = new Float32Array(first[1].length),
): Float32Array {
  const [weight, values] = first;
  for (let i = 0; i < out.length; i++) out[i] = weight * (values[i] ?? 0);
  return addTerms(out, others);
}

/** In place. */
export function scale(values: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = factor * (values[i] ?? 0);
  return values;
}

/** Into -range..range, in place. */
export function clip(values: Float32Array, range: number): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = Math.min(range, Math.max(-range, values[i] ?? 0));
  return values;
}
