/** The models behind generated scenes: Stable Diffusion paints, an upscaler enlarges, the segmenter looks again. */
import type { Box } from "#crds/runner-report.ts";
import sharp from "sharp";
import { Failure } from "../failure.ts";
import { SEGMENTER, upscaler } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import type { Size } from "../pipeline/layout.ts";
import { type Alpha, cropBytes, type Rgb } from "../pipeline/raster.ts";
import { planCanvas, type SceneCanvas } from "../pipeline/scene-canvas.ts";
import { paintMask } from "../pipeline/scene-mask.ts";
import { continueBehind } from "../pipeline/surroundings.ts";
import { resizeAlpha, resizeRgb } from "./picture-codec.ts";
import type { Plate, PlateOrder, SceneMaker } from "./place-generated.ts";
import { isObjectedTo } from "./safety-checker.ts";
import {
  type OpenSceneModel,
  type SceneModel,
  type SceneModels,
  sceneSizes,
  sceneSteps,
} from "./scene-model.ts";
import { makeMatte } from "./segment-matte.ts";
import { enlarge } from "./upscale.ts";

/** The longer side at which a picture is looked at again: the segmenter sees no more. */
const LOOK_PIXELS = 1024;
/** Enlarging by less needs no network. */
const LEAST_ENLARGING = 1.2;
async function laidInto(
  picture: Rgb | Alpha,
  { size, inner }: SceneCanvas,
  channels: 1 | 3,
): Promise<Uint8Array> {
  const open = sharp(picture.data, { raw: { width: inner.width, height: inner.height, channels } });
  const extended = (channels === 1 ? open.toColourspace("b-w") : open).extend({
    left: inner.x,
    top: inner.y,
    right: size.width - inner.x - inner.width,
    bottom: size.height - inner.y - inner.height,
    extendWith: "copy",
  });
  return new Uint8Array(await extended.raw().toBuffer());
}

/** Canvas and matte as the model is given them. */
async function onCanvas({ canvas, product }: PlateOrder, plan: SceneCanvas) {
  const rgb = await resizeRgb(canvas, plan.inner);
  const alpha = await resizeAlpha(product, plan.inner);
  return {
    image: { ...plan.size, data: await laidInto(rgb, plan, 3) },
    product: { ...plan.size, data: await laidInto(alpha, plan, 1) },
  };
}

/** The wanted part of what was painted, enlarged to the scene's size: by a network as far as one reaches. */
async function enlarged(painted: Rgb, inner: Box, to: Size, models: SceneModels): Promise<Rgb> {
  const part = cropBytes(painted, inner, 3);
  const factor = to.width / part.width;
  if (factor < LEAST_ENLARGING) return resizeRgb(part, to);
  const model = upscaler(factor > 2 ? 4 : 2, models.upscalerQuality);
  return resizeRgb((await enlarge({ rgb: part }, {}, model, models.sessions)).rgb, to);
}

async function paint(models: SceneModels, order: PlateOrder, { model, used }: SceneModel): Promise<Plate> {
  const plan = planCanvas(order.canvas, sceneSizes(model));
  const { image, product } = await onCanvas(order, plan);
  const { factor, isInpainting } = model.kind;
  const { prompt, negativePrompt, strength, seed } = order;
  const request = {
    ...sceneSteps(model, models.settings),
    prompt,
    negativePrompt,
    seeds: [seed],
    ...plan.size,
  };
  const from = { image, strength, mask: paintMask(product, factor, isInpainting ? "outside" : "inside") };
  const [picture] = await model.generate({ ...request, from }, { onStep: models.onStep });
  if (!picture) throw new RangeError("the scene model made no picture");
  const isUnsafe = await isObjectedTo(picture.rgb, model.folder.safetyChecker, models.sessions);
  const ring = { solid: factor / 2, feather: factor / 2 };
  const scene = continueBehind(picture.rgb, product, ring);
  return {
    rgb: await enlarged(scene, plan.inner, order.canvas, models),
    isUnsafe,
    made: {
      prompt,
      ...(negativePrompt !== undefined && { negativePrompt }),
      seed,
      strength,
      steps: request.steps,
      guidance: request.guidance,
      ...(request.scheduler && { scheduler: request.scheduler }),
      width: plan.size.width,
      height: plan.size.height,
      model: used,
    },
  };
}

async function see(picture: Rgb, sessions: ModelSessions): Promise<Alpha> {
  const scale = Math.min(1, LOOK_PIXELS / Math.max(picture.width, picture.height));
  const size = { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) };
  try {
    return (await makeMatte(await resizeRgb(picture, size), SEGMENTER, sessions)).alpha;
  } catch (error) {
    if (!(error instanceof Failure && error.class === "no-product")) throw error;
    return { ...size, data: new Uint8Array(size.width * size.height) };
  }
}

/** @param open gives the scene model, opened at the first scene or before */
export function createSceneMaker(models: SceneModels, open: OpenSceneModel): SceneMaker {
  return {
    settings: models.settings,
    paint: async (order) => paint(models, order, await open()),
    see: (picture) => see(picture, models.sessions),
    resize: resizeAlpha,
  };
}
