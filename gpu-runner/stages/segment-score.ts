/** One pass of a segmentation model over a picture. What differs between models stands in their catalogue entries. */
import type { SegmentEntry } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import type { Size } from "../pipeline/layout.ts";
import type { Plane, Rgb } from "../pipeline/raster.ts";
import { resizeRgb } from "./picture-codec.ts";

/** The picture squashed to the shape, channels apart, normalised as the model was trained. */
async function toTensor(
  rgb: Rgb,
  shape: Size,
  { mean, deviation }: SegmentEntry["task"],
): Promise<Float32Array> {
  const squashed = await resizeRgb(rgb, shape);
  const plane = shape.width * shape.height;
  const tensor = new Float32Array(3 * plane);
  for (const [channel, centre] of mean.entries()) {
    const [scale, offset] = [1 / (255 * (deviation[channel] ?? 1)), centre / (deviation[channel] ?? 1)];
    for (let i = 0, to = channel * plane; i < plane; i++, to++) {
      tensor[to] = (squashed.data[i * 3 + channel] ?? 0) * scale - offset;
    }
  }
  return tensor;
}

/** In place: the model's floats are nobody else's. */
function sigmoid(logits: Float32Array): void {
  for (let i = 0; i < logits.length; i++) logits[i] = 1 / (1 + Math.exp(-(logits[i] ?? 0)));
}

/**
 * How sure the model is that a pixel belongs to the product, 0..1, in the shape: raw, never stretched to the
 * picture's own maximum, so that an empty picture stays empty.
 * @throws {ModelMissing}
 */
export async function scorePicture(
  rgb: Rgb,
  shape: Size,
  model: SegmentEntry,
  sessions: ModelSessions,
): Promise<Plane> {
  const { width, height } = shape;
  const { output, scores } = model.task;
  const data = await sessions.run(model, {
    data: await toTensor(rgb, shape, model.task),
    dims: [1, 3, height, width],
    output,
  });
  if (data.length !== width * height)
    throw new TypeError(`model ${model.name} gave no ${width}×${height} scores`);
  if (scores === "logit") sigmoid(data);
  return { width, height, data };
}
