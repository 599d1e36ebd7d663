/** Which steps of training are taken: "Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2. */

export const SPACINGS = ["linspace", "leading", "trailing"] as const;
export type Spacing = (typeof SPACINGS)[number];

interface Spaced {
  readonly spacing: Spacing;
  /** Steps of training. */
  readonly of: number;
  /** Added to each step of `leading`. */
  readonly offset: number;
}

/** numpy's: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** `count` numbers from 0 to `last`, evenly spread; one alone is 0. */
export const evenly = (last: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? 0 : i === count - 1 ? last : i * (last / (count - 1))));

function rising(count: number, { spacing, of, offset }: Spaced): number[] {
  switch (spacing) {
    case "linspace":
      return evenly(of - 1, count);
    case "leading":
      return Array.from({ length: count }, (_, i) => i * Math.floor(of / count) + offset);
    case "trailing":
      return Array.from({ length: count }, (_, i) => roundHalfEven(of - i * (of / count)) - 1).reverse();
    default:
      return spacing satisfies never;
  }
}

/**
 * `count` steps, falling; of `linspace` as fractions.
 * @throws {RangeError} where a step would lie outside of the training
 */
export function spaced(count: number, options: Spaced): number[] {
  const timesteps = rising(count, options).reverse();
  if ((timesteps[0] ?? 0) < options.of) return timesteps;
  throw new RangeError(`${count} steps are more than this scheduler's spacing gives`);
}
