import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { classify } from "../failure.ts";
import { type DiffusionPipeline, openPipeline } from "./pipeline.ts";
import { modelDir, plainly } from "./testing.ts";
import { createVae } from "./vae.ts";

const HALVES = modelDir("sd15-fp16");
const AREA = { width: 64, height: 64 };
const REQUEST = { ...AREA, prompt: "a mug", steps: 1, guidance: 1, seeds: [1] };

const open = plainly();
let whole: DiffusionPipeline;
beforeAll(async () => {
  whole = await openPipeline(HALVES, open);
});

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-halves-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("a network in half floats that overflows", () => {
  it("fails as a model does, in place of a black picture", async () => {
    await cp(HALVES, dir, { recursive: true });
    // The latents divided by this are larger than what halves hold of the decoder's work.
    await writeFile(join(dir, "vae_decoder/config.json"), '{"scaling_factor": 1e-5}');
    const { generate } = await openPipeline(dir, plainly());
    const error: unknown = await generate(REQUEST).catch((reason: unknown) => reason);
    const message = expect.stringMatching(/^vae_decoder\/model\.onnx gives values that are not finite/);
    expect(classify(error)).toEqual({ class: "model", message });
  });

  it("is named when it is the UNet", async () => {
    const noise = (_seed: number, _draw: number, length: number) => new Float32Array(length).fill(1e6);
    await expect(whole.generate(REQUEST, { noise })).rejects.toThrow(/^unet\/model\.onnx gives/);
  });

  it("is named when it is the VAE's encoder", async () => {
    const part = (name: string) => open(join(HALVES, name, "model.onnx"));
    const vae = createVae(
      { decoder: await part("vae_decoder"), encoder: () => part("vae_encoder") },
      whole.kind,
    );
    const planes = new Float32Array(3 * 64 * 64).fill(1e6);
    await expect(vae.encode(planes, AREA)).rejects.toThrow(/^vae_encoder\/model\.onnx gives/);
  });
});
