/**
 * What lies in the folder of a Stable Diffusion model: both the layout of diffusers' ONNX pipelines and that of
 * optimum. What kind of model it is, is read from its files; nothing about it is configured.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Failure } from "../failure.ts";
import type { TokenizerFiles } from "./tokenizer/tokenizer-files.ts";

/** The folder is not a whole Stable Diffusion model that works; the message names the part and what to do. */
export class BadModelFolder extends Failure {
  override readonly name = "BadModelFolder";

  constructor(message: string, options?: ErrorOptions) {
    super("model", message, options);
  }
}

const UnetConfig = z.looseObject({
  in_channels: z.int().min(1).optional(),
  sample_size: z.union([z.int(), z.tuple([z.int(), z.int()])]).nullish(),
  time_cond_proj_dim: z.int().nullish(),
  block_out_channels: z.array(z.int()).min(1).optional(),
});

const VaeConfig = z.looseObject({
  scaling_factor: z.number().positive().optional(),
  block_out_channels: z.array(z.int()).min(1).optional(),
  latent_channels: z.int().min(1).optional(),
});

const ModelIndex = z.looseObject({
  _class_name: z.string(),
  force_zeros_for_empty_prompt: z.boolean().optional(),
  /** Of our own folders: the settings with which the model was trained to be used. */
  opal: z
    .looseObject({
      licence: z.string().optional(),
      steps: z.int().min(1).max(1000).optional(),
      guidance: z.number().min(0).max(100).optional(),
      sizes: z.array(z.tuple([z.int().min(8), z.int().min(8)])).optional(),
    })
    .optional(),
});

export interface ModelFolder {
  readonly dir: string;
  readonly index: z.infer<typeof ModelIndex>;
  /** In the order in which a prompt goes through them: one, or SDXL's two. */
  readonly texts: readonly { readonly tokenizer: TokenizerFiles; readonly encoder: string }[];
  readonly unet: string;
  readonly vaeDecoder: string;
  /** Without it the model makes pictures from words alone. */
  readonly vaeEncoder: string | undefined;
  readonly safetyChecker: string | undefined;
  readonly scheduler: unknown;
  readonly unetConfig: z.infer<typeof UnetConfig>;
  readonly vaeConfig: z.infer<typeof VaeConfig>;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function readText(dir: string, path: string): Promise<string> {
  try {
    return await readFile(join(dir, path), "utf8");
  } catch (cause) {
    throw new BadModelFolder(`${dir} is no whole Stable Diffusion model: ${path} is missing`, { cause });
  }
}

const readIfThere = async (dir: string, path: string) =>
  (await isThere(join(dir, path))) ? await readText(dir, path) : undefined;

function parseJson<T>(schema: z.ZodType<T>, text: string, path: string): T {
  let json: unknown;
  try {
    // Python writes infinity, which JSON has not: options that have it mean their default.
    json = JSON.parse(text.replaceAll(/:\s*-?(?:Infinity|NaN)\b/g, ": null"));
  } catch (cause) {
    throw new BadModelFolder(`${path} is no JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new BadModelFolder(`${path} is not as expected: ${z.prettifyError(parsed.error)}`);
}

async function readTokenizer(dir: string, name: string): Promise<TokenizerFiles> {
  return {
    vocab: await readText(dir, `${name}/vocab.json`),
    merges: await readText(dir, `${name}/merges.txt`),
    config: await readIfThere(dir, `${name}/tokenizer_config.json`),
    specialTokens: await readIfThere(dir, `${name}/special_tokens_map.json`),
  };
}

/** The path of a network's file; a folder with PyTorch's weights in its place is the usual mistake. */
async function network(dir: string, part: string): Promise<string> {
  const path = join(dir, part, "model.onnx");
  if (await isThere(path)) return path;
  const torch = ["diffusion_pytorch_model.safetensors", "model.safetensors", "pytorch_model.bin"];
  const found = await Promise.all(torch.map((name) => isThere(join(dir, part, name))));
  const hint = found.includes(true) ? " (its weights are PyTorch's: export the model to ONNX)" : "";
  throw new BadModelFolder(`${dir} is no whole Stable Diffusion model: ${part}/model.onnx is missing${hint}`);
}

async function optionalNetwork(dir: string, part: string): Promise<string | undefined> {
  return (await isThere(join(dir, part))) ? await network(dir, part) : undefined;
}

async function readConfig<T>(dir: string, parts: readonly string[], schema: z.ZodType<T>): Promise<T> {
  for (const part of parts) {
    const path = `${part}/config.json`;
    const text = await readIfThere(dir, path);
    if (text !== undefined) return parseJson(schema, text, path);
  }
  return schema.parse({});
}

async function readTexts(dir: string): Promise<ModelFolder["texts"]> {
  const first = {
    tokenizer: await readTokenizer(dir, "tokenizer"),
    encoder: await network(dir, "text_encoder"),
  };
  const encoder = await optionalNetwork(dir, "text_encoder_2");
  if (encoder === undefined) return [first];
  return [first, { tokenizer: await readTokenizer(dir, "tokenizer_2"), encoder }];
}

/**
 * Reads a folder as far as files tell; its networks are not opened.
 * @throws {BadModelFolder} naming the first part that is missing or wrong.
 */
export async function readModelFolder(dir: string): Promise<ModelFolder> {
  if (!(await isThere(dir))) throw new BadModelFolder(`there is no model folder at ${dir}`);
  const index = parseJson(ModelIndex, await readText(dir, "model_index.json"), "model_index.json");
  const scheduler = "scheduler/scheduler_config.json";
  return {
    dir,
    index,
    texts: await readTexts(dir),
    unet: await network(dir, "unet"),
    vaeDecoder: await network(dir, "vae_decoder"),
    vaeEncoder: await optionalNetwork(dir, "vae_encoder"),
    safetyChecker: await optionalNetwork(dir, "safety_checker"),
    scheduler: parseJson(z.unknown(), await readText(dir, scheduler), scheduler),
    unetConfig: await readConfig(dir, ["unet"], UnetConfig),
    vaeConfig: await readConfig(dir, ["vae_decoder", "vae_encoder", "vae"], VaeConfig),
  };
}
