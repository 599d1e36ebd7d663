/**
 * The loop: from noise to latents, step by step. Random numbers are asked for by seed, draw and picture, so that a
 * picture is the same in whatever company it is made.
 */
import { applyGuidance } from "./guidance.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";
import type { Denoiser } from "./unet.ts";

/** Normal numbers: of a seed, for a draw (0 the first noise, then one a step), so many. */
export type NoiseSource = (seed: number, draw: number, length: number) => Float32Array;

export interface Start {
  /** Latents of the picture to begin with, of one picture. */
  readonly latents: Float32Array;
  /** 0 < strength ≤ 1: which part of the way is gone again. */
  readonly strength: number;
  /** Where to paint, 0..1 a cell; elsewhere the picture stays. Without it, or with a network that sees it: all. */
  readonly blend?: Float32Array | undefined;
  /** With strength 1 nothing of the picture shines through. */
  readonly isInpainting: boolean;
}

export interface Guidance {
  /** Above 1 the answer to what is not wanted is pushed away; the network then answers both. */
  readonly scale: number;
  readonly rescale: number;
  readonly isPaired: boolean;
}

export interface Steps {
  readonly seeds: readonly number[];
  /** Values of one picture's latents. */
  readonly size: number;
  readonly start: Start | undefined;
  readonly guidance: Guidance;
  readonly noise: NoiseSource;
  readonly signal: AbortSignal | undefined;
  readonly onStep: ((done: number, of: number) => void) | undefined;
}

/** The first step that is taken when so much of the way is gone again. */
function firstStep(count: number, strength: number): number {
  return Math.max(0, count - Math.min(count, Math.floor(count * strength)));
}

function drawFor({ seeds, size, noise }: Steps, draw: number): Float32Array {
  const out = new Float32Array(seeds.length * size);
  for (const [i, seed] of seeds.entries()) out.set(noise(seed, draw, size), i * size);
  return out;
}

function forEach(latents: Float32Array, pictures: number): Float32Array {
  const out = new Float32Array(latents.length * pictures);
  for (let i = 0; i < pictures; i++) out.set(latents, i * latents.length);
  return out;
}

function firstSample(scheduler: Scheduler, noise: Float32Array, begin: number, start: Start | undefined) {
  if (start && !(start.isInpainting && start.strength >= 1)) {
    return scheduler.addNoise(forEach(start.latents, noise.length / start.latents.length), noise, begin);
  }
  return noise.map((value) => value * scheduler.initNoiseSigma);
}

/** What is not to be painted is put back, as noisy as the next step expects it. In place. */
function putBack(sample: Float32Array, kept: Float32Array, mask: Float32Array): void {
  for (let i = 0, channel = mask.length; i < sample.length; i++) {
    const share = mask[i % channel] ?? 1;
    sample[i] = (1 - share) * (kept[i] ?? 0) + share * (sample[i] ?? 0);
  }
}

/** For the schedulers that take some; the last step leaves a picture without noise. */
function freshNoise({ isStochastic, timesteps }: Scheduler, index: number, steps: Steps) {
  if (!isStochastic) return undefined;
  const isLast = index + 1 === timesteps.length;
  return isLast ? new Float32Array(steps.seeds.length * steps.size) : drawFor(steps, index + 1);
}

/** What the network says of every picture, guided. */
async function predicted(
  scheduler: Scheduler,
  network: Denoiser,
  sample: Float32Array,
  { index, steps }: { readonly index: number; readonly steps: Steps },
): Promise<Float32Array> {
  const timestep = scheduler.timesteps[index] ?? 0;
  const answer = await network.predict(scheduler.scaleModelInput(sample, index), timestep);
  if (!steps.guidance.isPaired) return answer;
  return applyGuidance(answer, { ...steps.guidance, pictures: steps.seeds.length });
}

/** Puts back after each step what is not to be painted; without such a part nothing. */
function keeper(scheduler: Scheduler, noise: Float32Array, { start, seeds }: Steps) {
  const mask = start?.blend;
  if (!mask) return () => {};
  const kept = forEach(start.latents, seeds.length);
  return (sample: Float32Array, next: number) => {
    const isDone = next === scheduler.timesteps.length;
    putBack(sample, isDone ? kept : scheduler.addNoise(kept, noise, next), mask);
  };
}

/** @returns the latents of all pictures, one after another. @throws what the signal was aborted with. */
export async function denoise(scheduler: Scheduler, network: Denoiser, steps: Steps): Promise<Float32Array> {
  const { start, signal, onStep } = steps;
  const count = scheduler.timesteps.length;
  const begin = start && !scheduler.isWithinStrength ? firstStep(count, start.strength) : 0;
  const noise = drawFor(steps, 0);
  const keep = keeper(scheduler, noise, steps);
  let sample = firstSample(scheduler, noise, begin, start);
  for (let index = begin; index < count; index++) {
    signal?.throwIfAborted();
    const answer = await predicted(scheduler, network, sample, { index, steps });
    sample = scheduler.step(answer, index, sample, freshNoise(scheduler, index, steps));
    keep(sample, index + 1);
    onStep?.(index - begin + 1, count - begin);
  }
  return sample;
}
