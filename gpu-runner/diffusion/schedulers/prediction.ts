/**
 * What a network's output means. A sample is alpha × picture + sigma × noise; from the sample and the output follow
 * picture and noise, each a weighted sum of the two.
 */

/** The noise, the picture, or the velocity alpha × noise - sigma × picture. */
export const PREDICTIONS = ["epsilon", "sample", "v_prediction"] as const;
export type Prediction = (typeof PREDICTIONS)[number];

export interface Mixture {
  readonly alpha: number;
  readonly sigma: number;
}

export interface Weights {
  readonly ofSample: number;
  readonly ofOutput: number;
}

/** The picture without noise. */
export function pictureWeights(prediction: Prediction, { alpha, sigma }: Mixture): Weights {
  switch (prediction) {
    case "epsilon":
      return { ofSample: 1 / alpha, ofOutput: -sigma / alpha };
    case "sample":
      return { ofSample: 0, ofOutput: 1 };
    case "v_prediction":
      return { ofSample: alpha, ofOutput: -sigma };
    default:
      return prediction satisfies never;
  }
}

/** The noise alone. */
export function noiseWeights(prediction: Prediction, { alpha, sigma }: Mixture): Weights {
  switch (prediction) {
    case "epsilon":
      return { ofSample: 0, ofOutput: 1 };
    case "sample":
      return { ofSample: 1 / sigma, ofOutput: -alpha / sigma };
    case "v_prediction":
      return { ofSample: sigma, ofOutput: alpha };
    default:
      return prediction satisfies never;
  }
}

/** The mixture of which noise is `sigma` times the picture's share, as it is after division by that share. */
export function mixtureOf(sigma: number): Mixture {
  const alpha = 1 / Math.sqrt(sigma ** 2 + 1);
  return { alpha, sigma: sigma * alpha };
}

/** The mixture at a share of the picture's variance, ᾱ. */
export const mixtureAt = (alphaCumprod: number): Mixture => ({
  alpha: Math.sqrt(alphaCumprod),
  sigma: Math.sqrt(1 - alphaCumprod),
});
