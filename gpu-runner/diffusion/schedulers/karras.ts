/** Noise spread as in "Elucidating the Design Space of Diffusion-Based Generative Models": many small steps at the end. */
import { evenly } from "./spacing.ts";

const RHO = 7;

/** `count` sigmas from the largest to the smallest. */
export function karrasSigmas(largest: number, smallest: number, count: number): number[] {
  const [from, to] = [largest ** (1 / RHO), smallest ** (1 / RHO)];
  return evenly(1, count).map((share) => (from + share * (to - from)) ** RHO);
}

/** The (broken) step of training that is as noisy as `sigma`, between those of `trainingSigmas`, which rise. */
export function timestepOf(sigma: number, trainingSigmas: readonly number[]): number {
  const logOf = (i: number) => Math.fround(Math.log(trainingSigmas[i] ?? 1));
  const wanted = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  for (let high = trainingSigmas.length - 1; low < high;) {
    const middle = Math.ceil((low + high) / 2);
    if (logOf(middle) <= wanted) low = middle;
    else high = middle - 1;
  }
  low = Math.min(low, trainingSigmas.length - 2);
  const share = (logOf(low) - wanted) / (logOf(low) - logOf(low + 1));
  return low + Math.min(1, Math.max(0, share));
}

/** The noise at a broken step of training. */
export function sigmaAt(timestep: number, trainingSigmas: readonly number[]): number {
  const low = Math.floor(timestep);
  const [a = 0, b = a] = [trainingSigmas[low], trainingSigmas[low + 1]];
  return a + (b - a) * (timestep - low);
}
