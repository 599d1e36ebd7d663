/**
 * Stable Diffusion: from words, and a picture to begin with or to paint into, to pictures. A model's folder is
 * opened once (`openPipeline`) and tells itself what it is; requests then name what is wanted. Everything is a
 * function of the request: the same seed gives the same picture, alone or among others.
 *
 * model-folder, model-kind: what the folder holds. tokenizer, text-encoder: words. schedulers, noise, guidance,
 * denoise, unet: the loop. vae, vae-tiles: pictures and latents. inpaint-crop: a part at full resolution.
 * edit-unet, without-randomness: what is changed in a network's file before it is opened.
 */
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import { denoise, type NoiseSource, type Start } from "./denoise.ts";
import { editUnet } from "./edit-unet.ts";
import { cropMask, cropRegion, cropRgb, fitMask, fitRgb, layBack } from "./inpaint-crop.ts";
import { BadModelFolder, type ModelFolder, readModelFolder } from "./model-folder.ts";
import { kindOf, type ModelKind } from "./model-kind.ts";
import { normals } from "./noise.ts";
import type { OnnxPart, OpenPart } from "./onnx-part.ts";
import { checkRequest, type From, type PictureRequest } from "./request.ts";
import { createScheduler } from "./schedulers/from-config.ts";
import { type Conditioning, createTextEncoder, type TextEncoder, type TextPart } from "./text-encoder.ts";
import type { TokenizerFiles } from "./tokenizer/tokenizer-files.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer/tokenizer.ts";
import { steer } from "./unet.ts";
import { createVae, toPlanes, toRgb, type Vae } from "./vae.ts";
import type { Area } from "./vae-tiles.ts";
import { withoutRandomness } from "./without-randomness.ts";

export interface Hooks {
  /** Asked between steps. */
  readonly signal?: AbortSignal | undefined;
  /** Steps done of those of all pictures. */
  readonly onStep?: ((done: number, of: number) => void) | undefined;
  readonly noise?: NoiseSource | undefined;
}

export interface GeneratedPicture {
  readonly seed: number;
  readonly rgb: Rgb;
  readonly latents: Float32Array;
}

export interface DiffusionPipeline {
  readonly folder: ModelFolder;
  readonly kind: ModelKind;
  /** @throws {RangeError} for a request that this model cannot do. */
  readonly generate: (request: PictureRequest, hooks?: Hooks) => Promise<GeneratedPicture[]>;
}

/** Pictures in batches of a few sizes alone, largest first: each is a shape that is warmed once. */
function inBatches<T>(pictures: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < pictures.length;) {
    const left = pictures.length - at;
    const size = sizes.find((size) => size <= left) ?? 1;
    batches.push(pictures.slice(at, at + size));
    at += size;
  }
  return batches;
}

/** The mask at the cells' corners, 0..1. */
function cellMask(mask: Alpha, factor: number, isBinary: boolean): Float32Array {
  const [width, height] = [mask.width / factor, mask.height / factor];
  return Float32Array.from({ length: width * height }, (_, i) => {
    const at = Math.floor(i / width) * factor * mask.width + (i % width) * factor;
    const share = (mask.data[at] ?? 0) / 255;
    return isBinary ? Number(share >= 0.5) : share;
  });
}

/** The picture without what is to be painted: 0 there, which is grey. */
function maskedPlanes(planes: Float32Array, mask: Alpha): Float32Array {
  const size = mask.data.length;
  return planes.map((value, i) => ((mask.data[i % size] ?? 0) >= 128 ? 0 : value));
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

interface Parts {
  readonly folder: ModelFolder;
  readonly kind: ModelKind;
  readonly texts: TextEncoder;
  readonly unet: OnnxPart;
  readonly vae: Vae;
  readonly batches: readonly number[];
}

interface Prepared {
  readonly start: Start | undefined;
  readonly view: Float32Array | undefined;
}

async function prepare({ vae, kind }: Parts, area: Area, from: From | undefined): Promise<Prepared> {
  if (!from) return { start: undefined, view: undefined };
  const planes = toPlanes(from.image);
  const start = {
    latents: await vae.encode(planes, area),
    strength: from.strength,
    isInpainting: from.mask !== undefined,
  };
  if (!from.mask) return { start, view: undefined };
  const mask = cellMask(from.mask, kind.factor, kind.isInpainting);
  if (!kind.isInpainting) return { start: { ...start, blend: mask }, view: undefined };
  return { start, view: joined(mask, await vae.encode(maskedPlanes(planes, from.mask), area)) };
}

async function conditioningsOf({ texts }: Parts, request: PictureRequest, isPaired: boolean) {
  const { prompt, negativePrompt } = request;
  const { positive, negative } = await texts.encode({ prompt, negative: negativePrompt });
  return isPaired ? [negative, positive] : [positive];
}

async function makeAll(parts: Parts, request: PictureRequest, hooks: Hooks): Promise<GeneratedPicture[]> {
  const { kind, unet, vae, folder } = parts;
  const { width, height, steps, guidance, guidanceRescale = 0, seeds } = request;
  const area = { width, height };
  const isPaired = guidance > 1 && kind.guidanceWidth === undefined;
  const conditionings: Conditioning[] = await conditioningsOf(parts, request, isPaired);
  const { start, view } = await prepare(parts, area, request.from);
  const cells = { channels: kind.latentChannels, height: height / kind.factor, width: width / kind.factor };
  const size = cells.channels * cells.height * cells.width;
  const pictures: GeneratedPicture[] = [];
  for (const batch of inBatches(seeds, parts.batches)) {
    const before = pictures.length;
    const shape = { ...cells, pictures: batch.length };
    const network = steer(unet, kind, shape, { conditionings, guidance, view });
    const latents = await denoise(
      createScheduler(folder.scheduler, { steps, name: request.scheduler, strength: start?.strength }),
      network,
      {
        seeds: batch,
        size,
        start,
        guidance: { scale: guidance, rescale: guidanceRescale, isPaired },
        noise: hooks.noise ?? normals,
        signal: hooks.signal,
        onStep: (done, of) => hooks.onStep?.(before * of + done * batch.length, seeds.length * of),
      },
    );
    for (const [i, seed] of batch.entries()) {
      hooks.signal?.throwIfAborted();
      const own = latents.slice(i * size, (i + 1) * size);
      pictures.push({ seed, latents: own, rgb: toRgb(await vae.decode(own, area), area) });
    }
  }
  return pictures;
}

/** Works on the masked part alone, and lays what was made of it back. */
async function makeCropped(
  parts: Parts,
  request: PictureRequest & { readonly from: From & { readonly mask: Alpha } },
  hooks: Hooks,
): Promise<GeneratedPicture[]> {
  const { from, width, height } = request;
  const { image, mask, cropPadding = 0 } = from;
  const area = { width, height };
  const region = cropRegion(mask, area, cropPadding);
  const inner = {
    ...from,
    image: fitRgb(cropRgb(image, region), area),
    mask: fitMask(cropMask(mask, region), area),
  };
  const made = await makeAll(parts, { ...request, from: inner }, hooks);
  return made.map((picture) => ({ ...picture, rgb: layBack(image, mask, region, picture.rgb) }));
}

function openTokenizer({ dir }: ModelFolder, files: TokenizerFiles): Tokenizer {
  try {
    return createTokenizer(files);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BadModelFolder(`${dir}: ${cause.message}`, { cause });
  }
}

async function openTexts(folder: ModelFolder, open: OpenPart): Promise<TextPart[]> {
  const opened: TextPart[] = [];
  for (const { tokenizer, encoder } of folder.texts) {
    opened.push({ tokenizer: openTokenizer(folder, tokenizer), part: await open(encoder) });
  }
  return opened;
}

/**
 * Opens a model's folder: text encoders, UNet and VAE decoder at once, the VAE's encoder at its first use.
 * @param open opens a network's file, or gives it again; sessions belong to whoever gave this
 * @param batches how many pictures may go through the UNet at once, largest first, 1 last. More than one gains
 *   nothing on a CPU, and may change the last bits: networks add up in another order.
 * @throws {BadModelFolder}
 */
export async function openPipeline(
  dir: string,
  open: OpenPart,
  { batches = [1] }: { readonly batches?: readonly number[] } = {},
): Promise<DiffusionPipeline> {
  const folder = await readModelFolder(dir);
  const texts = await openTexts(folder, open);
  const [unet, decoder] = [await open(folder.unet, editUnet), await open(folder.vaeDecoder)];
  const kind = kindOf(folder, { texts: texts.map(({ part }) => part), unet, vaeDecoder: decoder });
  const encoder = () => {
    if (folder.vaeEncoder === undefined)
      throw new RangeError(`${dir} has no vae_encoder: it takes no pictures`);
    return open(folder.vaeEncoder, withoutRandomness);
  };
  const parts: Parts = {
    folder,
    kind,
    unet,
    batches,
    vae: createVae({ decoder, encoder }, kind),
    texts: createTextEncoder(texts, {
      isXl: kind.family === "sdxl",
      zerosForNone: folder.index.force_zeros_for_empty_prompt ?? true,
    }),
  };
  return {
    folder,
    kind,
    generate: async (request, hooks = {}) => {
      checkRequest(request, kind);
      const { from } = request;
      if (from?.cropPadding === undefined || !from.mask) return makeAll(parts, request, hooks);
      return makeCropped(parts, { ...request, from: { ...from, mask: from.mask } }, hooks);
    },
  };
}
