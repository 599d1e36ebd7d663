/** What can be asked of a model. */
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import type { ModelKind } from "./model-kind.ts";
import type { SchedulerName } from "./schedulers/from-config.ts";

/** A picture to begin with. */
export interface From {
  readonly image: Rgb;
  /** 0 < strength ≤ 1: how far it may change; at 1, under a mask, nothing of it shines through. */
  readonly strength: number;
  /** Of the picture's size: 255 is painted, 0 stays; between them only a 4-channel model mixes. */
  readonly mask?: Alpha | undefined;
  /** Only the masked part with so many pixels round it is worked on, at the size asked for. */
  readonly cropPadding?: number | undefined;
}

export interface PictureRequest {
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  /** In pixels, whole multiples of the model's factor; `from.image` has it, or is cropped to it. */
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  /** Above 1 the network runs twice a step, unless it was distilled to be told. */
  readonly guidance: number;
  /** 0..1: how far the guided answer's contrast is brought back to that of the unguided. */
  readonly guidanceRescale?: number | undefined;
  /** Without it the folder's own. */
  readonly scheduler?: SchedulerName | undefined;
  /** One picture each. */
  readonly seeds: readonly number[];
  readonly from?: From | undefined;
}

/** In so many the models were trained. */
const MOST_STEPS = 1000;

function checkFrom(
  { image, mask = image, strength, cropPadding }: From,
  { width, height }: PictureRequest,
): void {
  if (!(strength > 0 && strength <= 1)) throw new RangeError("strength is above 0 and at most 1");
  if (mask.width !== image.width || mask.height !== image.height) {
    throw new RangeError("picture and mask differ in size");
  }
  if (cropPadding === undefined && (image.width !== width || image.height !== height)) {
    throw new RangeError(`the picture to begin with must be ${width} × ${height}`);
  }
}

function checkSize({ width, height }: PictureRequest, factor: number): void {
  const fits = (side: number) => side >= factor && side % factor === 0;
  if (fits(width) && fits(height)) return;
  throw new RangeError(`${width} × ${height} is no size for this model: sides are multiples of ${factor}`);
}

function checkSteps({ steps }: PictureRequest): void {
  if (Number.isInteger(steps) && steps >= 1 && steps <= MOST_STEPS) return;
  throw new RangeError(`${steps} is no number of steps: 1 to ${MOST_STEPS}`);
}

/** @throws {RangeError} for what this model cannot do. */
export function checkRequest(request: PictureRequest, { factor, isInpainting }: ModelKind): void {
  const { from, seeds } = request;
  checkSize(request, factor);
  checkSteps(request);
  if (seeds.length === 0) throw new RangeError("no seed: no picture");
  if (isInpainting && !from?.mask) throw new RangeError("an inpainting model needs a picture and a mask");
  if (from) checkFrom(from, request);
}
