import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readModelFolder } from "./model-folder.ts";
import { kindOf } from "./model-kind.ts";
import type { OnnxPart, Port } from "./onnx-part.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-model-"));
});
afterEach(() => rm(dir, { recursive: true }));

const WHOLE = {
  "model_index.json": '{"_class_name": "OnnxStableDiffusionPipeline"}',
  "scheduler/scheduler_config.json": '{"_class_name": "DDIMScheduler"}',
  "tokenizer/vocab.json": "{}",
  "tokenizer/merges.txt": "",
  "text_encoder/model.onnx": "",
  "unet/model.onnx": "",
  "vae_decoder/model.onnx": "",
} as const;

async function write(files: Readonly<Record<string, string>>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

describe("readModelFolder", () => {
  it("reads a whole folder, and knows which parts it may lack", async () => {
    await write({ ...WHOLE, "unet/config.json": '{"in_channels": 9, "sample_size": 64}' });
    expect(await readModelFolder(dir)).toMatchObject({
      unet: join(dir, "unet/model.onnx"),
      vaeEncoder: undefined,
      safetyChecker: undefined,
      unetConfig: { in_channels: 9, sample_size: 64 },
      vaeConfig: {},
    });
  });

  it.each(Object.keys(WHOLE))("names %s when it is missing", async (missing) => {
    await write(Object.fromEntries(Object.entries(WHOLE).filter(([path]) => path !== missing)));
    await expect(readModelFolder(dir)).rejects.toThrow(`${missing} is missing`);
  });

  it.each([
    { files: { "unet/config.json": "{" }, says: "unet/config.json is no JSON" },
    { files: { "unet/config.json": '{"in_channels": "four"}' }, says: "in_channels" },
    { files: { "text_encoder_2/model.onnx": "" }, says: "tokenizer_2/vocab.json is missing" },
    { files: { "vae_encoder/config.json": "{}" }, says: "vae_encoder/model.onnx is missing" },
  ])("says what is wrong: $says", async ({ files, says }) => {
    await write({ ...WHOLE, ...files });
    await expect(readModelFolder(dir)).rejects.toThrow(says);
  });

  it("knows PyTorch's weights when it sees them", async () => {
    const { "unet/model.onnx": _, ...others } = WHOLE;
    await write({ ...others, "unet/diffusion_pytorch_model.safetensors": "" });
    await expect(readModelFolder(dir)).rejects.toThrow("its weights are PyTorch's: export the model to ONNX");
  });

  it("says that there is no folder", async () => {
    await expect(readModelFolder(join(dir, "sd"))).rejects.toThrow("there is no model folder at");
  });
});

type Shapes = Readonly<Record<string, readonly [type: Port["type"], ...shape: (number | string)[]]>>;

function part(inputs: Shapes, outputs: Shapes): OnnxPart {
  const ports = (shapes: Shapes) =>
    new Map(Object.entries(shapes).map(([name, [type, ...shape]]) => [name, { name, type, shape }]));
  return {
    inputs: ports(inputs),
    outputs: ports(outputs),
    tensor: () => expect.fail("no tensors here"),
    run: () => expect.fail("nothing runs here"),
  };
}

const text = (width: number | string, ids: "int32" | "int64" = "int64") =>
  part({ input_ids: [ids, "b", 77] }, { last_hidden_state: ["float32", "b", 77, width] });
const unet = (channels: number | string, width: number | string, more: Shapes = {}) =>
  part(
    {
      sample: ["float16", "b", channels, "h", "w"],
      timestep: ["int64"],
      encoder_hidden_states: ["float32", "b", "t", width],
      ...more,
    },
    { out_sample: ["float32"] },
  );
const vaeDecoder = part({ latent_sample: ["float32", "b", 4, "h", "w"] }, { sample: ["float32"] });

describe("kindOf", () => {
  async function kind(
    parts: { text?: OnnxPart; unet: OnnxPart },
    files: Readonly<Record<string, string>> = {},
  ) {
    await write({ ...WHOLE, ...files });
    const texts = [parts.text ?? text(768)];
    return kindOf(await readModelFolder(dir), { texts, unet: parts.unet, vaeDecoder });
  }

  it("tells a text-to-image model from an inpainting one by its channels", async () => {
    expect(await kind({ unet: unet(4, 768) })).toMatchObject({ isInpainting: false, textWidth: 768 });
    expect(await kind({ unet: unet(9, 768) })).toMatchObject({ isInpainting: true, precision: "float16" });
  });

  it("reads free channels from the configuration, or else from the pipeline's name", async () => {
    const free = { unet: unet("c", "d"), text: text("d", "int32") };
    expect(await kind(free)).toMatchObject({
      isInpainting: false,
      layout: "diffusers",
      textWidth: undefined,
    });
    const named = { "model_index.json": '{"_class_name": "OnnxStableDiffusionInpaintPipeline"}' };
    expect(await kind(free, named)).toMatchObject({ isInpainting: true });
    expect(await kind(free, { ...named, "unet/config.json": '{"in_channels": 4}' })).toMatchObject({
      isInpainting: false,
    });
  });

  it("takes factor, scaling and size from the configuration, or else what the family has", async () => {
    expect(await kind({ unet: unet(4, 768) })).toMatchObject({
      factor: 8,
      scaling: 0.18215,
      nativeSize: 512,
    });
    const vae = '{"scaling_factor": 0.5, "block_out_channels": [8, 8, 8]}';
    const files = { "vae_decoder/config.json": vae, "unet/config.json": '{"sample_size": [24, 32]}' };
    expect(await kind({ unet: unet(4, 768) }, files)).toMatchObject({
      factor: 4,
      scaling: 0.5,
      nativeSize: 96,
    });
  });

  it("knows a model that is told its guidance", async () => {
    const lcm = unet(4, 768, { timestep_cond: ["float32", "b", 32] });
    expect(await kind({ unet: lcm })).toMatchObject({ guidanceWidth: 32 });
  });

  it.each([
    { unet: unet(8, 768), says: "takes 8 channels: known are 4 (text to image) and 9 (inpainting)" },
    { unet: unet(4, 1024), says: "text_encoder gives 768 values a token, unet takes 1024" },
    { unet: unet(4, 768, { text_embeds: ["float32"] }), says: "text_encoder_2 is missing" },
    { unet: vaeDecoder, says: 'unet/model.onnx is no such network of Stable Diffusion: it lacks "sample"' },
  ])("refuses what does not belong together: $says", async ({ unet, says }) => {
    await expect(kind({ unet })).rejects.toThrow(says);
  });
});
