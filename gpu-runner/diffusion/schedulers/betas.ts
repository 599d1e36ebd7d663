/**
 * How much noise each of the (usually 1000) steps of training added. Worked out in 32-bit floats as torch does it:
 * at the first steps 1 - ᾱ is so small that the rounding shows in its fourth digit.
 */
import type { NoiseConfig } from "./config.ts";

const f = Math.fround;

/** torch.linspace: counted from both ends. */
function linspace(start: number, end: number, count: number): number[] {
  const [from, to] = [f(start), f(end)];
  const step = f((to - from) / (count - 1));
  return Array.from({ length: count }, (_, i) =>
    i < count / 2 ? f(from + f(step * i)) : f(to - f(step * (count - 1 - i))),
  );
}

const cosine = (share: number) => Math.cos((((share + 0.008) / 1.008) * Math.PI) / 2) ** 2;

function betasOf(config: NoiseConfig): number[] {
  const { trained_betas, beta_schedule, beta_start, beta_end, num_train_timesteps: count } = config;
  if (trained_betas) return trained_betas.map(f);
  switch (beta_schedule) {
    case "linear":
      return linspace(beta_start, beta_end, count);
    case "scaled_linear":
      return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) => f(root * root));
    case "squaredcos_cap_v2":
      return Array.from({ length: count }, (_, i) =>
        f(Math.min(1 - cosine((i + 1) / count) / cosine(i / count), 0.999)),
      );
    default:
      return beta_schedule satisfies never;
  }
}

/** Products of the first one, two, … factors: the sum is carried in 64 bits. */
function products(factors: readonly number[]): number[] {
  let product = 1;
  return factors.map((factor) => f((product *= factor)));
}

/** Stretched so that nothing of the picture is left at the end (Lin et al. 2023). */
function toZeroSignal(alphas: readonly number[]): number[] {
  const roots = products(alphas).map((share) => f(Math.sqrt(share)));
  const [first = 1, last = 0] = [roots[0], roots.at(-1)];
  const factor = f(first / f(first - last));
  const shares = roots.map((root) => f(f(f(root - last) * factor) ** 2));
  return shares.map((share, i) => f(1 - f(1 - (i === 0 ? share : f(share / (shares[i - 1] ?? 1))))));
}

/** ᾱ at each step of training: which share of a sample's variance is the picture's. Falls from about 1 to about 0. */
export function alphasCumprodOf(config: NoiseConfig): readonly number[] {
  const alphas = betasOf(config).map((beta) => f(1 - beta));
  return products(config.rescale_betas_zero_snr ? toZeroSignal(alphas) : alphas);
}

/** Noise over picture at a share ᾱ. */
const sigmaOf = (alphaCumprod: number): number => f(Math.sqrt(f(f(1 - alphaCumprod) / alphaCumprod)));

/** In place of no signal at all where noise is counted in sigmas: infinite noise cannot be stepped from. */
const LEAST_SHARE = 2 ** -24;

/** Noise over picture at each step of training, rising. */
export function trainingSigmasOf(config: NoiseConfig): readonly number[] {
  const shares = alphasCumprodOf(config);
  return shares.map((share, i) =>
    sigmaOf(config.rescale_betas_zero_snr && i === shares.length - 1 ? LEAST_SHARE : share),
  );
}
