/** The first part of a long run is left out: caches fill there. */
const SETTLED_FROM = 0.2;

/** By how much the values rise a step, by least squares over the settled part; 0 for fewer than two of them. */
export function settledSlope(values: readonly number[]): number {
  const settled = values.slice(Math.floor(values.length * SETTLED_FROM));
  const middle = (settled.length - 1) / 2;
  const mean = settled.reduce((sum, value) => sum + value, 0) / Math.max(1, settled.length);
  let [products, squares] = [0, 0];
  for (const [i, value] of settled.entries()) {
    products += (i - middle) * (value - mean);
    squares += (i - middle) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}
