import { beforeAll, describe, expect, it } from "vitest";
import type { ModelKind } from "./model-kind.ts";
import type { OnnxPart } from "./onnx-part.ts";
import { modelDir, openModel, plainly } from "./testing.ts";
import { createVae, toPlanes, toRgb, type Vae } from "./vae.ts";

/** Above 768², so that it goes through in tiles: 2 × 2 of 512 pixels. */
const LARGE = { width: 832, height: 832 };
const CELLS = { width: 104, height: 104 };

let kind: ModelKind;
let encoder: OnnxPart;
let decoder: OnnxPart;
let vae: Vae;
beforeAll(async () => {
  const open = plainly();
  ({ kind } = await openModel("sd2-v"));
  encoder = await open(`${modelDir("sd2-v")}/vae_encoder/model.onnx`);
  decoder = await open(`${modelDir("sd2-v")}/vae_decoder/model.onnx`);
  vae = createVae({ decoder, encoder: () => Promise.resolve(encoder) }, kind);
});

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] ?? 0) - meanA, (b[i] ?? 0) - meanB];
    [ab, aa, bb] = [ab + x * y, aa + x * x, bb + y * y];
  }
  return ab / Math.sqrt(aa * bb);
}

/** How much larger differences are in the band in the middle, where the tiles meet, than everywhere. */
function seamRatio(a: Float32Array, b: Float32Array, side: number, band: number): number {
  let [all, near, nearCount] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    all += difference;
    if (Math.abs((i % side) - side / 2) > band) continue;
    near += difference;
    nearCount++;
  }
  return near / nearCount / (all / a.length);
}

/** The normalisation and the attention of a tile see the tile alone: equal to the whole they cannot be. */
function expectAlike(tiled: Float32Array, whole: Float32Array, side: number, band: number): void {
  expect(correlation(tiled, whole)).toBeGreaterThan(0.95);
  expect(seamRatio(tiled, whole, side, band)).toBeLessThan(1.5);
}

describe("a large picture", () => {
  it("is decoded in tiles as it is in one piece, as far as the tiles know of each other", async () => {
    const size = CELLS.width * CELLS.height;
    const latents = Float32Array.from({ length: 4 * size }, (_, i) => {
      const [x, y] = [i % CELLS.width, Math.floor((i % size) / CELLS.width)];
      return kind.scaling * Math.sin(x / 9 + Math.floor(i / size)) * Math.cos(y / 11);
    });
    const tiled = await vae.decode(latents, LARGE);
    const sample = decoder.tensor(
      "latent_sample",
      latents.map((value) => value / kind.scaling),
      [1, 4, 104, 104],
    );
    const [whole = new Float32Array()] = await decoder.run({ latent_sample: sample }, ["sample"]);
    expectAlike(tiled, whole, 832, 64);
  });

  it("is encoded in tiles that begin at whole cells", async () => {
    const planes = Float32Array.from({ length: 3 * 832 * 832 }, (_, i) => {
      const [x, y] = [i % 832, Math.floor(i / 832) % 832];
      return Math.sin(x / 23) * Math.cos(y / 17);
    });
    const tiled = await vae.encode(planes, LARGE);
    const sample = encoder.tensor("sample", planes, [1, 3, 832, 832]);
    const [moments = new Float32Array()] = await encoder.run({ sample }, ["latent_parameters"]);
    const whole = moments.slice(0, tiled.length).map((value) => value * kind.scaling);
    expectAlike(tiled, whole, 104, 8);
  });
});

it("gives pixels back as they were, through the range of the VAE", () => {
  const rgb = { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => i % 256) };
  expect(toRgb(toPlanes(rgb), rgb)).toEqual(rgb);
  expect(toRgb(Float32Array.of(-9, 0, 9), { width: 1, height: 1 }).data).toEqual(Uint8Array.of(0, 128, 255));
});
