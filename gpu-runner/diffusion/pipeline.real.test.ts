/** The engine beside diffusers' own pipelines in torch, on the same weights and the same random numbers. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { NoiseSource } from "./denoise.ts";
import type { DiffusionPipeline } from "./pipeline.ts";
import type { PictureRequest } from "./request.ts";
import { SCHEDULER_NAMES } from "./schedulers/from-config.ts";
import { GOLDENS, type Model, MODELS, openModel } from "./testing.ts";

/** The bars: latents are of the order of 1 to 10, pixels levels of 255. */
const MOST_LATENT_DIFFERENCE = 1e-3;
const MOST_PIXEL_DIFFERENCE = 2;

const Stored = z.object({ file: z.string(), offset: z.int(), shape: z.array(z.int()) });
type Stored = z.infer<typeof Stored>;

const Golden = z.object({
  name: z.string(),
  model: z.enum(MODELS),
  prompt: z.string(),
  negativePrompt: z.string().optional(),
  width: z.int(),
  height: z.int(),
  steps: z.int(),
  guidance: z.number(),
  guidanceRescale: z.number().optional(),
  scheduler: z.enum(SCHEDULER_NAMES).optional(),
  pictures: z.int(),
  from: z
    .object({
      image: Stored,
      strength: z.number(),
      mask: Stored.optional(),
      cropPadding: z.int().optional(),
    })
    .optional(),
  draws: z.array(z.object({ draw: z.int(), noise: Stored })),
  latents: Stored,
  pixels: Stored,
  /** How far diffusers with the exported networks is from itself. */
  onnxruntime: z.object({ latents: z.number(), pixels: z.number() }),
});
type Golden = z.infer<typeof Golden>;

const read = (file: string) => readFileSync(`${GOLDENS}pipelines/${file}`);
const goldens = z.array(Golden).parse(JSON.parse(read("goldens.json").toString()));

const sizeOf = ({ shape }: Stored) => shape.reduce((a, b) => a * b, 1);

function floats(stored: Stored): Float32Array {
  const bytes = read(stored.file);
  const from = stored.offset * 4;
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + from + 4 * sizeOf(stored)),
  );
}

const levels = (stored: Stored) =>
  new Uint8Array(read(stored.file).subarray(stored.offset, stored.offset + sizeOf(stored)));

function picture(stored: Stored) {
  const [height = 0, width = 0] = stored.shape;
  return { width, height, data: levels(stored) };
}

/** The random numbers that the golden was made with; the seeds are the pictures' places in it. */
function givenNoise({ draws }: Golden): NoiseSource {
  const given = new Map(draws.map(({ draw, noise }) => [draw, floats(noise)]));
  return (seed, draw, length) => {
    const noise = given.get(draw);
    if (!noise) throw new RangeError(`the golden has no draw ${draw}`);
    return noise.slice(seed * length, (seed + 1) * length);
  };
}

function requestOf(golden: Golden): PictureRequest {
  const { from, pictures, ...words } = golden;
  const seeds = Array.from({ length: pictures }, (_, i) => i);
  if (!from) return { ...words, seeds };
  const { image, mask, ...how } = from;
  return { ...words, seeds, from: { ...how, image: picture(image), ...(mask && { mask: picture(mask) }) } };
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return most;
}

const opened = new Map<Model, Promise<DiffusionPipeline>>();
function model(name: Model): Promise<DiffusionPipeline> {
  const pipeline = opened.get(name) ?? openModel(name);
  opened.set(name, pipeline);
  return pipeline;
}

/** Networks in half precision are as exact as that: diffusers with the same networks is no nearer. */
function barsOf({ model, onnxruntime }: Golden) {
  if (!model.endsWith("fp16")) return { latents: MOST_LATENT_DIFFERENCE, pixels: MOST_PIXEL_DIFFERENCE };
  return { latents: 2 * onnxruntime.latents, pixels: MOST_PIXEL_DIFFERENCE + onnxruntime.pixels };
}

describe("makes the pictures that diffusers makes", () => {
  it.each(goldens.map((golden) => [golden.name, golden] as const))("%s", async (_, golden) => {
    const made = await (await model(golden.model)).generate(requestOf(golden), { noise: givenNoise(golden) });
    const bars = barsOf(golden);
    const [latents, pixels] = [floats(golden.latents), levels(golden.pixels)];
    for (const [i, { latents: own, rgb }] of made.entries()) {
      expect(furthest(own, latents.subarray(i * own.length, (i + 1) * own.length))).toBeLessThanOrEqual(
        bars.latents,
      );
      const size = rgb.data.length;
      expect(furthest(rgb.data, pixels.subarray(i * size, (i + 1) * size))).toBeLessThanOrEqual(bars.pixels);
    }
    expect(made).toHaveLength(golden.pictures);
  });

  it("has a golden picture of every model", () => {
    expect(new Set(goldens.map(({ model }) => model))).toEqual(new Set(MODELS));
  });
});

const IMAGE = { width: 64, height: 64, data: Uint8Array.from({ length: 12_288 }, (_, i) => (i * 7) % 256) };
const MASK = {
  width: 64,
  height: 64,
  data: Uint8Array.from({ length: 4096 }, (_, i) => (i % 64 > 20 ? 255 : 0)),
};

const request = (isInpainting: boolean, seeds: readonly number[]): PictureRequest => ({
  prompt: "a red mug on a table",
  width: 64,
  height: 64,
  steps: 4,
  guidance: 7.5,
  scheduler: "euler-a",
  seeds,
  ...(isInpainting && { from: { image: IMAGE, mask: MASK, strength: 1 } }),
});

describe.each(MODELS)("a seed of %s", (name) => {
  it("gives the same picture twice, and among others, bit for bit", async () => {
    const { kind, generate } = await model(name);
    const [alone] = await generate(request(kind.isInpainting, [3]));
    const [again] = await generate(request(kind.isInpainting, [3]));
    const among = await generate(request(kind.isInpainting, [1, 2, 3, 4]));
    expect(again).toEqual(alone);
    expect(among[2]).toEqual(alone);
    expect(among[1]?.latents).not.toEqual(alone?.latents);
  });

  it("gives the same picture in one batch of four, bit for bit", async () => {
    const { kind, generate } = await openModel(name, [4, 2, 1]);
    const among = await generate(request(kind.isInpainting, [1, 2, 3, 4, 5]));
    const [third] = await generate(request(kind.isInpainting, [3]));
    expect(among[2]).toEqual(third);
    expect(among.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("generate", () => {
  it("tells each step and stops between two when it is told to", async () => {
    const { generate } = await model("sd15");
    const told: string[] = [];
    const stop = new AbortController();
    const onStep = (done: number, of: number) => {
      told.push(`${done}/${of}`);
      if (done === 6) stop.abort(new Error("enough"));
    };
    await expect(generate(request(false, [1, 2]), { signal: stop.signal, onStep })).rejects.toThrow("enough");
    expect(told).toEqual(["1/8", "2/8", "3/8", "4/8", "5/8", "6/8"]);
  });

  it("keeps what is not masked, and paints what is", async () => {
    const { generate } = await model("sd15");
    const from = { image: IMAGE, strength: 1 };
    const white = { ...MASK, data: new Uint8Array(4096).fill(255) };
    const none = { ...MASK, data: new Uint8Array(4096) };
    const [kept] = await generate({ ...request(false, [1]), from: { ...from, mask: none } });
    const [painted] = await generate({ ...request(false, [1]), from: { ...from, mask: white } });
    const [free] = await generate(request(false, [1]));
    expect(painted?.latents).toEqual(free?.latents);
    expect(kept?.latents).not.toEqual(free?.latents);
  });

  it.each([
    { change: { width: 60 }, says: "sides are multiples of 8" },
    { change: { seeds: [] }, says: "no picture" },
    { change: { from: { image: IMAGE, strength: 0 } }, says: "strength" },
    { change: { from: { image: { ...IMAGE, width: 32, height: 128 }, strength: 1 } }, says: "64 × 64" },
    { change: { from: { image: IMAGE, strength: 1, mask: { ...MASK, width: 32 } } }, says: "differ in size" },
    { change: { steps: 2000 }, says: "steps" },
  ])("refuses what it cannot do: $says", async ({ change, says }) => {
    const { generate } = await model("sd15");
    await expect(generate({ ...request(false, [1]), ...change })).rejects.toThrow(says);
  });

  it("asks for a picture to paint into where the model was made for that", async () => {
    const { generate } = await model("inpaint9");
    await expect(generate(request(false, [1]))).rejects.toThrow("needs a picture and a mask");
  });
});
