/**
 * The network that tells noise from picture. What stays the same in every step, the prompt above all, goes into
 * tensors once; a step hands over the latents and its time.
 */
import type { Tensor } from "onnxruntime-node";
import { checkFinite } from "./finite.ts";
import type { ModelKind } from "./model-kind.ts";
import type { OnnxPart } from "./onnx-part.ts";
import { ONCE } from "./share-latents.ts";
import type { Conditioning } from "./text-encoder.ts";

/** Latents of some pictures: [pictures, channels, height, width]. */
export interface LatentShape {
  readonly pictures: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** What 9-channel networks see beside the latents, of one picture: [1 + channels, height, width], mask first. */
export type InpaintingView = Float32Array;

export interface Steering {
  /** One for each copy of the latents: what is not wanted, what is wanted; or the latter alone. */
  readonly conditionings: readonly Conditioning[];
  /** For models that are told their guidance. */
  readonly guidance: number;
  readonly view?: InpaintingView | undefined;
}

export interface Denoiser {
  /**
   * The network's answer to each copy of the latents, one copy after another.
   * @param sample as `LatentShape`, scaled as the scheduler wants it
   * @throws {BadModelFolder} when the network overflows
   */
  predict(sample: Float32Array, timestep: number): Promise<Float32Array>;
}

function repeated(rows: readonly Float32Array[], times: number): Float32Array {
  const length = rows.reduce((sum, row) => sum + row.length, 0) * times;
  const out = new Float32Array(length);
  let at = 0;
  for (const row of rows) {
    for (let i = 0; i < times; i++, at += row.length) out.set(row, at);
  }
  return out;
}

/** How the guidance is told to a distilled network: sines and cosines of it, as of a time. */
function guidanceEmbedding(guidance: number, width: number): Float32Array {
  const half = Math.floor(width / 2);
  const out = new Float32Array(width);
  const scaled = (guidance - 1) * 1000;
  for (let i = 0; i < half; i++) {
    const angle = scaled * Math.exp((-Math.log(10_000) / (half - 1)) * i);
    out[i] = Math.sin(angle);
    out[half + i] = Math.cos(angle);
  }
  return out;
}

function steadyFeeds(
  part: OnnxPart,
  kind: ModelKind,
  shape: LatentShape,
  { conditionings, guidance }: Steering,
): Record<string, Tensor> {
  const [first] = conditionings;
  if (!first) throw new RangeError("a picture needs a prompt");
  const { pictures } = shape;
  const batch = pictures * conditionings.length;
  const hidden = repeated(
    conditionings.map((conditioning) => conditioning.hidden),
    pictures,
  );
  const feeds: Record<string, Tensor> = {
    encoder_hidden_states: part.tensor("encoder_hidden_states", hidden, [batch, first.tokens, first.width]),
  };
  if (kind.family === "sdxl") {
    const pooled = conditionings.map((conditioning) => conditioning.pooled ?? new Float32Array());
    feeds["text_embeds"] = part.tensor("text_embeds", repeated(pooled, pictures), [
      batch,
      pooled[0]?.length ?? 0,
    ]);
    const [height, width] = [shape.height * kind.factor, shape.width * kind.factor];
    const ids = Float32Array.of(height, width, 0, 0, height, width);
    feeds["time_ids"] = part.tensor("time_ids", repeated([ids], batch), [batch, ids.length]);
  }
  if (kind.guidanceWidth !== undefined) {
    const told = repeated([guidanceEmbedding(guidance, kind.guidanceWidth)], batch);
    feeds["timestep_cond"] = part.tensor("timestep_cond", told, [batch, kind.guidanceWidth]);
  }
  return feeds;
}

/** Lays the latents, and what an inpainting network sees beside them, into the network's input. */
function fill(
  input: Float32Array,
  sample: Float32Array,
  shape: LatentShape,
  view: InpaintingView | undefined,
): void {
  const size = sample.length / shape.pictures;
  const stride = size + (view?.length ?? 0);
  for (let to = 0, picture = 0; to < input.length; to += stride, picture++) {
    const from = (picture % shape.pictures) * size;
    input.set(sample.subarray(from, from + size), to);
    if (view) input.set(view, to + size);
  }
}

/** One time for all, or one for each of the batch or of the pictures: exporters differ. */
function timeDimsOf(part: OnnxPart, batch: number, pictures: number): readonly number[] {
  const shape = part.inputs.get("timestep")?.shape ?? [];
  return shape.map((size) => (typeof size === "number" ? size : size === ONCE ? pictures : batch));
}

export function steer(part: OnnxPart, kind: ModelKind, shape: LatentShape, steering: Steering): Denoiser {
  const steady = steadyFeeds(part, kind, shape, steering);
  const view = kind.isInpainting ? steering.view : undefined;
  const batch = shape.pictures * steering.conditionings.length;
  const channels = shape.channels * (kind.isInpainting ? 2 : 1) + (kind.isInpainting ? 1 : 0);
  const takesOnce = part.inputs.get("sample")?.shape[0] === ONCE;
  const dims = [takesOnce ? shape.pictures : batch, channels, shape.height, shape.width];
  const input = new Float32Array(dims.reduce((a, b) => a * b, 1));
  const timeDims = timeDimsOf(part, batch, shape.pictures);
  const times = new Float32Array(timeDims[0] ?? 1);
  return {
    async predict(sample, timestep) {
      fill(input, sample, shape, view);
      times.fill(timestep);
      const feeds = {
        ...steady,
        sample: part.tensor("sample", input, dims),
        timestep: part.tensor("timestep", times, timeDims),
      };
      const [answer = new Float32Array()] = await part.run(feeds, ["out_sample"]);
      checkFinite(answer, "unet/model.onnx");
      return answer;
    },
  };
}
