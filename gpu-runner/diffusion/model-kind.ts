/** What kind of Stable Diffusion model a folder holds, told from its networks' inputs and outputs. Pure. */
import { BadModelFolder, type ModelFolder } from "./model-folder.ts";
import type { OnnxPart, Port } from "./onnx-part.ts";

export interface ModelKind {
  readonly family: "sd" | "sdxl";
  /** Who exported it: diffusers' script, with 32-bit ids, or optimum. */
  readonly layout: "diffusers" | "optimum";
  readonly precision: "float32" | "float16";
  readonly latentChannels: number;
  /** The network sees mask and masked picture beside the latents: made for inpainting. */
  readonly isInpainting: boolean;
  /** Values a token; those of both encoders in SDXL. */
  readonly textWidth: number | undefined;
  /** Numbers in which a distilled model (LCM) is told its guidance; undefined where guidance costs a second run. */
  readonly guidanceWidth: number | undefined;
  /** Pixels a side of a latent cell. */
  readonly factor: number;
  /** Latents are the VAE's times this. */
  readonly scaling: number;
  /** Pixels a side at which the model was trained. */
  readonly nativeSize: number;
}

export interface ModelParts {
  readonly texts: readonly OnnxPart[];
  readonly unet: OnnxPart;
  readonly vaeDecoder: OnnxPart;
}

const SCALING = { sd: 0.18215, sdxl: 0.13025 } as const;
const NATIVE_SIZE = { sd: 512, sdxl: 1024 } as const;
const USUAL_FACTOR = 8;
const USUAL_LATENT_CHANNELS = 4;
const USUAL_GUIDANCE_WIDTH = 256;

const numberAt = (port: Port | undefined, axis: number) => {
  const size = port?.shape[axis];
  return typeof size === "number" && size > 0 ? size : undefined;
};

function port(ports: ReadonlyMap<string, Port>, part: string, name: string): Port {
  const found = ports.get(name);
  if (found) return found;
  throw new BadModelFolder(
    `${part}/model.onnx is no such network of Stable Diffusion: it lacks "${name}" and has ${[...ports.keys()].join(", ")}`,
  );
}

/** Free axes say nothing: then the configuration does, and last the name of the pipeline. */
function inChannelsOf({ unetConfig, index }: ModelFolder, sample: Port, latentChannels: number): number {
  const named = index._class_name.includes("Inpaint") ? 2 * latentChannels + 1 : latentChannels;
  return numberAt(sample, 1) ?? unetConfig.in_channels ?? named;
}

function isInpaintingOf(inChannels: number, latentChannels: number): boolean {
  if (inChannels === latentChannels) return false;
  if (inChannels === 2 * latentChannels + 1) return true;
  throw new BadModelFolder(
    `unet/model.onnx takes ${inChannels} channels: known are ${latentChannels} (text to image) and ${2 * latentChannels + 1} (inpainting)`,
  );
}

function textWidthOf(texts: readonly OnnxPart[], unet: OnnxPart): number | undefined {
  const wanted = numberAt(unet.inputs.get("encoder_hidden_states"), 2);
  const widths = texts.map(({ outputs }) => numberAt(outputs.get("last_hidden_state"), 2));
  const known = widths.filter((width) => width !== undefined);
  if (known.length < widths.length) return wanted;
  const given = known.reduce((a, b) => a + b, 0);
  if (wanted === undefined || wanted === given) return given;
  throw new BadModelFolder(
    `text_encoder gives ${given} values a token, unet takes ${wanted}: they are parts of different models`,
  );
}

function guidanceWidthOf({ unetConfig }: ModelFolder, unet: OnnxPart): number | undefined {
  const port = unet.inputs.get("timestep_cond");
  if (!port) return undefined;
  return numberAt(port, 1) ?? unetConfig.time_cond_proj_dim ?? USUAL_GUIDANCE_WIDTH;
}

function nativeSizeOf({ unetConfig }: ModelFolder, family: ModelKind["family"], factor: number): number {
  const size = unetConfig.sample_size;
  if (size === undefined || size === null) return NATIVE_SIZE[family];
  return factor * (typeof size === "number" ? size : Math.min(...size));
}

const factorOf = ({ vaeConfig }: ModelFolder) =>
  vaeConfig.block_out_channels ? 2 ** (vaeConfig.block_out_channels.length - 1) : USUAL_FACTOR;

function familyOf(folder: ModelFolder, unet: OnnxPart): ModelKind["family"] {
  const isXl = unet.inputs.has("text_embeds");
  if (isXl && folder.texts.length < 2) {
    throw new BadModelFolder(`${folder.dir} holds an SDXL unet, but text_encoder_2 is missing`);
  }
  return isXl ? "sdxl" : "sd";
}

/** @throws {BadModelFolder} when the networks do not belong together or are of no known kind. */
export function kindOf(folder: ModelFolder, { texts, unet, vaeDecoder }: ModelParts): ModelKind {
  const sample = port(unet.inputs, "unet", "sample");
  for (const name of ["timestep", "encoder_hidden_states"]) port(unet.inputs, "unet", name);
  port(unet.outputs, "unet", "out_sample");
  const latents = port(vaeDecoder.inputs, "vae_decoder", "latent_sample");
  const ids = texts.map(({ inputs }) => port(inputs, "text_encoder", "input_ids"));
  const latentChannels = numberAt(latents, 1) ?? folder.vaeConfig.latent_channels ?? USUAL_LATENT_CHANNELS;
  const family = familyOf(folder, unet);
  const factor = factorOf(folder);
  return {
    family,
    layout: ids[0]?.type === "int32" ? "diffusers" : "optimum",
    precision: sample.type === "float16" ? "float16" : "float32",
    latentChannels,
    isInpainting: isInpaintingOf(inChannelsOf(folder, sample, latentChannels), latentChannels),
    textWidth: textWidthOf(texts, unet),
    guidanceWidth: guidanceWidthOf(folder, unet),
    factor,
    scaling: folder.vaeConfig.scaling_factor ?? SCALING[family],
    nativeSize: nativeSizeOf(folder, family, factor),
  };
}
