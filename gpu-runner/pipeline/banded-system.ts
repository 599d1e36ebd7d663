/** Solves systems whose matrices have ROUND_REACH weights on either side of the diagonal, as `roundTrip` gives them. */
import { ROUND_REACH, WINDOW } from "./back-projection-kernels.ts";
import { CHANNELS } from "./interpolation.ts";

/**
 * A banded matrix as the product of a lower and an upper one, in its own layout: left of
 * the diagonal the lower's weights, whose own diagonal is 1, then the upper's, its diagonal as what is to be
 * multiplied by. The diagonal outweighs the rest, so that no row has to change places.
 */
export function factorised(matrix: Float32Array): Float64Array {
  const out = Float64Array.from(matrix);
  for (let row = 0; row < out.length / WINDOW; row++) {
    for (let k = Math.max(0, ROUND_REACH - row); k < ROUND_REACH; k++) {
      const above = (row + k - ROUND_REACH) * WINDOW;
      const weight = (out[row * WINDOW + k] ?? 0) / (out[above + ROUND_REACH] ?? 1);
      out[row * WINDOW + k] = weight;
      for (let right = 1; right <= ROUND_REACH; right++) {
        const to = row * WINDOW + k + right;
        out[to] = (out[to] ?? 0) - weight * (out[above + ROUND_REACH + right] ?? 0);
      }
    }
  }
  for (let at = ROUND_REACH; at < out.length; at += WINDOW) out[at] = 1 / (out[at] ?? 1);
  return out;
}

interface Combination {
  readonly others: readonly [number, number, number];
  readonly weights: readonly [number, number, number];
  readonly kept: number;
}

/** Multiplies the values at one position, and takes from them those at three others, each with its weight. */
function combine(
  values: Float32Array,
  lanes: number,
  at: number,
  { others: [x, y, z], weights: [p, q, r], kept }: Combination,
): void {
  const end = (at + 1) * lanes;
  for (let to = at * lanes, a = x * lanes, b = y * lanes, c = z * lanes; to < end; to++, a++, b++, c++) {
    values[to] =
      kept *
      ((values[to] as number) -
        p * (values[a] as number) -
        q * (values[b] as number) -
        r * (values[c] as number));
  }
}

/**
 * Solves a banded system in place, for all `lanes` values that lie side by side at each position; `factors` as
 * `factorised` gives them. Beyond the ends its weights are 0.
 */
export function solveColumns(values: Float32Array, lanes: number, factors: Float64Array): void {
  const last = values.length / lanes - 1;
  for (let i = 1; i <= last; i++) {
    const middle = i * WINDOW + ROUND_REACH;
    combine(values, lanes, i, {
      others: [Math.max(0, i - 1), Math.max(0, i - 2), Math.max(0, i - 3)],
      weights: [factors[middle - 1] ?? 0, factors[middle - 2] ?? 0, factors[middle - 3] ?? 0],
      kept: 1,
    });
  }
  for (let i = last; i >= 0; i--) {
    const middle = i * WINDOW + ROUND_REACH;
    combine(values, lanes, i, {
      others: [Math.min(last, i + 1), Math.min(last, i + 2), Math.min(last, i + 3)],
      weights: [factors[middle + 1] ?? 0, factors[middle + 2] ?? 0, factors[middle + 3] ?? 0],
      kept: factors[middle] ?? 1,
    });
  }
}

/** The same of a row of RGB: what each value needs of the latest three is at hand. */
export function solveRow(row: Float32Array, factors: Float64Array): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    let [x, y, z] = [0, 0, 0];
    for (let at = channel, f = ROUND_REACH; at < row.length; at += CHANNELS, f += WINDOW) {
      const far = (factors[f - 3] as number) * z + (factors[f - 2] as number) * y;
      const value = (row[at] as number) - far - (factors[f - 1] as number) * x;
      row[at] = value;
      z = y;
      y = x;
      x = value;
    }
  }
  const last = row.length / CHANNELS - 1;
  for (let channel = 0; channel < CHANNELS; channel++) {
    let [x, y, z] = [0, 0, 0];
    for (
      let at = last * CHANNELS + channel, f = last * WINDOW + ROUND_REACH;
      at >= 0;
      at -= CHANNELS, f -= WINDOW
    ) {
      const far = (factors[f + 3] as number) * z + (factors[f + 2] as number) * y;
      const value = ((row[at] as number) - far - (factors[f + 1] as number) * x) * (factors[f] as number);
      row[at] = value;
      z = y;
      y = x;
      x = value;
    }
  }
}
