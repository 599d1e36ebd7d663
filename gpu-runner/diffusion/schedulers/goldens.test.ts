import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { createScheduler } from "./from-config.ts";

const GOLDENS = new URL("../goldens/schedulers/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`${name}.json`, GOLDENS), "utf8"));

const Numbers = z.array(z.number());
const Case = z.object({
  name: z.string(),
  config: z.looseObject({}),
  setTimesteps: z
    .looseObject({ original_inference_steps: z.int(), strength: z.number().optional() })
    .optional(),
  steps: z.int(),
  begin: z.int(),
  timesteps: Numbers,
  initNoiseSigma: z.number(),
  noised: z.array(z.object({ index: z.int(), sample: Numbers })),
  initial: Numbers,
  trajectory: z.array(Numbers),
});
type Case = z.infer<typeof Case>;
const inputs = z
  .object({ sample: Numbers, original: Numbers, noises: z.array(Numbers) })
  .parse(read("inputs"));

const row = (values: readonly number[] | undefined) => Float32Array.from(values ?? []);
const largestDifference = (got: ArrayLike<number>, want: readonly number[]) =>
  Math.max(...want.map((value, i) => Math.abs(value - got[i]!)), got.length === want.length ? 0 : Infinity);

/** The network of the goldens: a formula of what it is shown and when. */
const output = (scaled: Float32Array, timestep: number) =>
  scaled.map((value, j) => 0.7 * value + 0.1 * Math.sin(j + timestep / 100));

/**
 * 1e-5. Without any signal at the end of training samples are in the thousands where sigmas count: there a 32-bit
 * float's own steps are 5e-4.
 */
function boundOf({ trajectory, initial }: Case): number {
  const largest = Math.max(...[initial, ...trajectory].flat().map(Math.abs));
  return 1e-5 * Math.max(1, largest / 50);
}

describe.each(["ddim", "euler", "euler-ancestral", "dpm-multistep", "lcm"])("%s", (name) => {
  const cases = z.array(Case).parse(read(name));
  // The network's caller leaves out the first steps when strength is less than 1; LCM's own pipelines spread them anew.
  const known = cases.filter(({ setTimesteps }) => setTimesteps?.strength === undefined);

  it("has goldens", () => {
    expect(known.length).toBeGreaterThanOrEqual(name === "lcm" ? cases.length - 1 : cases.length);
  });

  it.each(known.map((golden) => [golden.name, golden] as const))("goes diffusers' way: %s", (_, golden) => {
    const { steps, begin, trajectory, setTimesteps } = golden;
    const scheduler = createScheduler({ ...golden.config, ...setTimesteps }, { steps });
    expect(largestDifference(scheduler.timesteps, golden.timesteps)).toBeLessThan(1e-3);
    expect(scheduler.initNoiseSigma / golden.initNoiseSigma).toBeCloseTo(1, 6);
    for (const { index, sample } of golden.noised) {
      const noised = scheduler.addNoise(row(inputs.original), row(inputs.noises[0]), index);
      expect(largestDifference(noised, sample)).toBeLessThanOrEqual(boundOf(golden));
    }
    const bound = boundOf(golden);
    let sample: Float32Array = row(golden.initial);
    for (const [i, want] of trajectory.entries()) {
      const index = begin + i;
      const scaled = scheduler.scaleModelInput(sample, index);
      const predicted = output(scaled, scheduler.timesteps[index]!);
      sample = scheduler.step(predicted, index, sample, row(inputs.noises[index]));
      expect(largestDifference(sample, want), `step ${index}`).toBeLessThanOrEqual(bound);
    }
  });
});
