import type { Box } from "#crds/runner-report.ts";
import type { Brand } from "#crds/opaljob.ts";
import { Layout } from "#crds/opaljob.ts";
import { Failure } from "../failure.ts";
import { boxWhere, intersection, moved, union } from "../pipeline/box.ts";
import { compose, type Cutout, darken } from "../pipeline/compose.ts";
import { compareCore } from "../pipeline/fidelity.ts";
import { planScene, sceneScale, type Scene, type ShadowRoom, type Size } from "../pipeline/layout.ts";
import { alphaBox, coreMask } from "../pipeline/matte.ts";
import { cropBytes, newRgb, type Alpha, type Rgb } from "../pipeline/raster.ts";
import { FLAT_SHADOW, makeShadow, type Shadow, type ShadowLook, STUDIO_SHADOW } from "../pipeline/shadow.ts";
import { DEFAULT_SET_COLOUR, makeFlatSet, makeStudioSet } from "../pipeline/studio-set.ts";
import { PlaceFacts } from "./facts.ts";
import { ingest, type IngestLimits } from "./ingest.ts";
import { decodePicture, encodePng, type EncodedPicture, resizeAlpha, resizeRgb } from "./picture-codec.ts";
import { BOX_ALPHA } from "./segment.ts";

export interface PlaceSettings extends IngestLimits {
  /** The most pixels of the scene; larger ones shrink the product. */
  readonly maxScenePixels: number;
}

export interface PlaceInput {
  /** The photo as uploaded: what the placed product is compared with. */
  readonly photo: Uint8Array;
  /** The `segment` stage's picture. */
  readonly cutout: Uint8Array;
  readonly brand: Brand;
}

/** Darkness from which a pixel belongs to the visible shadow. */
const VISIBLE_SHADOW = 0.03;
/** ± levels of grain that hide the set's banding; a flat colour stays exact. */
const STUDIO_GRAIN = 1.1;
/** A placed product's pixels may differ from the source's by no level at all. */
const MAX_DIFFERENCE = 0;

/** The cut-out's product at its size in the scene, and what it must equal. */
interface PlacedProduct extends Cutout {
  readonly reference: Rgb;
  /** Which of its pixels are compared with the reference. */
  readonly core: Uint8Array;
}

/** How the placement treats the ground: null throws no shadow. */
function shadowLook(placement: Brand["placement"]): ShadowLook | null {
  switch (placement) {
    case "transparent":
      return null;
    case "color":
      return FLAT_SHADOW;
    case "studio":
      return STUDIO_SHADOW;
    case "gradient":
    case "image":
    case "generated":
      throw new Failure(
        "config",
        `placement \`${placement}\` is not offered yet: use studio, color or transparent`,
      );
    default:
      return placement satisfies never;
  }
}

/** Product and visible shadow, with the product's corner at (0, 0). */
function visibleBox(product: Size, shadow: Shadow | undefined): Box {
  const own = { x: 0, y: 0, width: product.width, height: product.height };
  const visible =
    shadow && boxWhere(shadow.darkness, (i) => (shadow.darkness.data[i] ?? 0) >= VISIBLE_SHADOW);
  return shadow && visible ? union(own, moved(visible, -shadow.room.left, 0)) : own;
}

/** How far the visible shadow reaches beyond a product that is scaled. */
function visibleRoom(product: Size, visible: Box, scale: number): ShadowRoom {
  return {
    left: Math.ceil(-visible.x * scale),
    right: Math.ceil((visible.x + visible.width - product.width) * scale),
    below: Math.ceil((visible.y + visible.height - product.height) * scale),
  };
}

/** The scene of a product of `size`, the product shrunk where the scene would be too large. */
function planBounded(size: Size, visible: Box, brand: Brand, maxPixels: number) {
  const rules = brand.layout ?? Layout.parse({});
  const plan = (product: Size, scale: number) =>
    planScene(product, visibleRoom(size, visible, scale), rules, brand.exports);
  const whole = plan(size, 1);
  const scale = sceneScale(whole, maxPixels);
  if (scale === 1) return { scene: whole, scale };
  const width = Math.max(1, Math.floor(size.width * scale));
  const height = Math.max(1, Math.floor(size.height * scale));
  return { scene: plan({ width, height }, scale), scale };
}

/**
 * Which pixels after a resize come from the core alone: the kernel reaches 3 target pixels, that is 3/scale
 * source pixels, and a whole-number shrink before it one more.
 */
function placedCore(alpha: Alpha, size: Size, scale: number): Uint8Array {
  const core = coreMask(alpha, scale === 1 ? 2 : Math.ceil(4 / scale) + 2);
  if (scale === 1) return core;
  const placed = new Uint8Array(size.width * size.height);
  for (let y = 0, to = 0; y < size.height; y++) {
    const row = Math.floor(((y + 0.5) * alpha.height) / size.height) * alpha.width;
    for (let x = 0; x < size.width; x++, to++) {
      placed[to] = core[row + Math.floor(((x + 0.5) * alpha.width) / size.width)] ?? 0;
    }
  }
  return placed;
}

interface Cut {
  readonly source: Rgb;
  readonly colour: Rgb;
  readonly alpha: Alpha;
}

async function scaleProduct(
  { source, colour, alpha }: Cut,
  size: Size,
  scale: number,
): Promise<PlacedProduct> {
  return {
    colour: await resizeRgb(colour, size),
    alpha: await resizeAlpha(alpha, size),
    reference: await resizeRgb(source, size),
    core: placedCore(alpha, size, scale),
  };
}

/** Product and visible shadow, inside the scene: rounding may let a scaled shadow reach a pixel further. */
function contentBox(scene: Scene, shadow: Shadow | undefined): Box {
  const visible = moved(visibleBox(scene.product, shadow), scene.product.x, scene.product.y);
  const frames = Object.values(scene.frames);
  return frames.reduce(intersection, visible);
}

function buildSet(scene: Scene, brand: Brand) {
  if (brand.placement === "color") return makeFlatSet(scene, brand.background ?? "#ffffff");
  const colour = brand.background ?? brand.palette[0] ?? DEFAULT_SET_COLOUR;
  return makeStudioSet(scene, { product: scene.product, colour, seed: brand.seed });
}

interface Staged {
  readonly rgb: Rgb;
  readonly alpha?: Alpha;
}

/** The product alone on a transparent canvas. */
function stageTransparent(scene: Scene, { colour, alpha }: Cutout): Staged {
  const rgb = newRgb(scene.width, scene.height);
  const canvas = {
    width: scene.width,
    height: scene.height,
    data: new Uint8Array(scene.width * scene.height),
  };
  for (let y = 0; y < scene.product.height; y++) {
    const from = y * scene.product.width;
    const to = (scene.product.y + y) * scene.width + scene.product.x;
    canvas.data.set(alpha.data.subarray(from, from + scene.product.width), to);
    rgb.data.set(colour.data.subarray(from * 3, (from + scene.product.width) * 3), to * 3);
  }
  return { rgb, alpha: canvas };
}

function stageOnSet(scene: Scene, product: Cutout, shadow: Shadow | undefined, brand: Brand): Staged {
  const set = buildSet(scene, brand);
  if (shadow) darken(set, shadow, scene.product);
  const levels = brand.placement === "color" ? 0 : STUDIO_GRAIN;
  return { rgb: compose(set, product, scene.product, { seed: brand.seed, levels }) };
}

/** The product's part of photo and cut-out. @throws {Failure} `quality` when they do not belong together. */
async function cutProduct(
  photo: Uint8Array,
  cutout: Uint8Array,
  limits: IngestLimits,
): Promise<{ cut: Cut; box: Box }> {
  const { rgb: colour, alpha } = await decodePicture(cutout);
  const box = alpha && alphaBox(alpha, BOX_ALPHA);
  if (!box) throw new Failure("quality", "the cut-out holds no product");
  const { rgb: source } = await ingest(photo, limits);
  if (source.width !== colour.width || source.height !== colour.height) {
    throw new Failure("quality", "the cut-out and the photo differ in size: it was cut with other settings");
  }
  const cut: Cut = {
    source: cropBytes(source, box, 3),
    colour: cropBytes(colour, box, 3),
    alpha: cropBytes(alpha, box, 1),
  };
  return { cut, box };
}

/**
 * Places the cut-out product in the brand's scene and proves that its pixels are the source's.
 * @throws {Failure} `config` for a placement that is not offered, `quality` when the proof fails.
 */
export async function place(
  { photo, cutout, brand }: PlaceInput,
  settings: PlaceSettings,
): Promise<{ picture: EncodedPicture; facts: PlaceFacts }> {
  const look = shadowLook(brand.placement);
  const { cut, box } = await cutProduct(photo, cutout, settings);
  const fullShadow = look ? makeShadow(cut.alpha, look) : undefined;
  const { scene, scale } = planBounded(box, visibleBox(box, fullShadow), brand, settings.maxScenePixels);
  const product = await scaleProduct(cut, scene.product, scale);
  const shadow = look && scale !== 1 ? makeShadow(product.alpha, look) : fullShadow;
  const staged = look ? stageOnSet(scene, product, shadow, brand) : stageTransparent(scene, product);
  const fidelity = compareCore(staged.rgb, scene.product, product.reference, product.core);
  if (fidelity.maxAbsDifference > MAX_DIFFERENCE) {
    throw new Failure(
      "quality",
      `the placed product differs from the photo by up to ${fidelity.maxAbsDifference} levels`,
    );
  }
  const facts: PlaceFacts = {
    placement: brand.placement,
    set: brand.placement === "studio" ? "sweep" : brand.placement === "color" ? "flat" : "none",
    scale,
    productBox: scene.product,
    contentBox: contentBox(scene, shadow),
    frames: { ...scene.frames },
    fidelity,
  };
  return { picture: await encodePng(staged.rgb, staged.alpha), facts };
}
