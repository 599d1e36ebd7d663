/**
 * The story of placing: cut the product from the photo, settle pose, shadow and layout, plan a scene that holds
 * every wanted frame, build what stands behind, throw the shadow, lay the product on it, and prove that it is
 * still the photo's.
 */
import type { Box } from "#crds/runner-report.ts";
import type { Brand } from "#crds/brand.ts";
import { Failure } from "../failure.ts";
import { boxWhere, intersection, moved, union } from "../pipeline/box.ts";
import { compose, type Cutout, darken, onClear, shadowInScene, withShadow } from "../pipeline/compose.ts";
import { compareCore, unfaithful } from "../pipeline/fidelity.ts";
import { applyGains, harmonise, type Harmonised } from "../pipeline/harmonise.ts";
import { planScene, sceneScale, type Scene, type ShadowRoom, type Size } from "../pipeline/layout.ts";
import type { Alpha, Plane, Rgb } from "../pipeline/raster.ts";
import { makeReflection, reflect } from "../pipeline/reflection.ts";
import { clipShadow, makeShadow, type Shadow } from "../pipeline/shadow.ts";
import type { Background } from "../pipeline/studio-set.ts";
import type { StageLayer } from "../stage-work.ts";
import type { GeneratedFacts, PlaceFacts } from "./facts.ts";
import type { IngestLimits } from "./ingest.ts";
import { encodePng, type EncodedPicture } from "./picture-codec.ts";
import { buildBackground } from "./place-background.ts";
import { paintScene, type SceneMaker } from "./place-generated.ts";
import { encodeLayers } from "./place-layers.ts";
import { type PlaceLook, settleLook } from "./place-look.ts";
import { cutProduct, type PlacedProduct, scaleProduct } from "./place-product.ts";

export interface PlaceSettings extends IngestLimits {
  /** The most pixels of the scene; larger ones shrink the product. */
  readonly maxScenePixels: number;
  /** For placement `generated`. */
  readonly sceneMaker?: SceneMaker;
}

export interface PlaceInput {
  /** The photo as uploaded: what the placed product is compared with. */
  readonly photo: Uint8Array;
  /** The `segment` stage's picture. */
  readonly cutout: Uint8Array;
  readonly brand: Brand;
  /** For placement `image`: the picture behind the product, as uploaded. */
  readonly backdrop?: Uint8Array | undefined;
}

/** Darkness from which a pixel belongs to the visible shadow. */
const VISIBLE_SHADOW = 0.03;
/** ± levels of grain that hide a background's banding; a flat colour stays exact, a picture has its own. */
const GRAIN = { studio: 1.1, gradient: 1 } as const;

function shadowOf(silhouette: Alpha, look: PlaceLook): Shadow | undefined {
  const { contact, cast } = look.shadow;
  if (contact === 0 && cast === 0) return undefined;
  return clipShadow(makeShadow(silhouette, look.shadow), look.layout.snap ?? []);
}

/** Product and visible shadow, with the product's corner at (0, 0). */
function visibleBox(product: Size, shadow: Shadow | undefined): Box {
  const own = { x: 0, y: 0, width: product.width, height: product.height };
  const visible =
    shadow && boxWhere(shadow.darkness, (i) => (shadow.darkness.data[i] ?? 0) >= VISIBLE_SHADOW);
  if (!shadow || !visible) return own;
  return union(own, moved(visible, -shadow.room.left, -shadow.room.above));
}

/** How far the visible shadow reaches beyond a product that is scaled. */
function visibleRoom(product: Size, visible: Box, scale: number): ShadowRoom {
  return {
    left: Math.ceil(-visible.x * scale),
    right: Math.ceil((visible.x + visible.width - product.width) * scale),
    above: Math.ceil(-visible.y * scale),
    below: Math.ceil((visible.y + visible.height - product.height) * scale),
  };
}

/** The scene of a product of `size`, the product shrunk where the scene would be too large. */
function planBounded(size: Size, visible: Box, look: PlaceLook, maxPixels: number) {
  const plan = (product: Size, scale: number) =>
    planScene(product, visibleRoom(size, visible, scale), look.layout, look.ratios);
  const whole = plan(size, 1);
  const scale = sceneScale(whole, maxPixels);
  if (scale === 1) return { scene: whole, scale };
  const width = Math.max(1, Math.floor(size.width * scale));
  const height = Math.max(1, Math.floor(size.height * scale));
  return { scene: plan({ width, height }, scale), scale };
}

/** Product and visible shadow, inside the scene: rounding may let a scaled shadow reach a pixel further. */
function contentBox(scene: Scene, shadow: Shadow | undefined): Box {
  const visible = moved(visibleBox(scene.product, shadow), scene.product.x, scene.product.y);
  return Object.values(scene.frames).reduce(intersection, visible);
}

interface Staged {
  readonly picture: Rgb;
  readonly alpha?: Alpha;
  readonly alone: Cutout;
  readonly darkness: Plane | undefined;
  readonly harmonised?: Harmonised;
  readonly generated?: GeneratedFacts;
}

function stageClear(scene: Scene, product: PlacedProduct, shadow: Shadow | undefined): Staged {
  const alone = onClear(scene, product);
  const darkness = shadow && shadowInScene(shadow, scene, undefined);
  const whole = darkness ? withShadow(alone, darkness) : alone;
  return { picture: whole.colour, alpha: whole.alpha, alone, darkness };
}

interface OnBackground {
  readonly background: Background;
  readonly shadow: Shadow | undefined;
  readonly look: PlaceLook;
  readonly brand: Brand;
}

function stageOn(scene: Scene, product: PlacedProduct, on: OnBackground): Staged {
  const { background, shadow, look, brand } = on;
  const harmonised =
    brand.harmonisePercent > 0
      ? harmonise(
          product.colour,
          product.core,
          { background, product: scene.product },
          brand.harmonisePercent,
        )
      : undefined;
  const cutout = harmonised ? { ...product, colour: harmonised.colour } : product;
  const darkness = shadow && shadowInScene(shadow, scene, background.receives);
  if (darkness) darken(background, darkness);
  const mirrored = look.mirror > 0 ? makeReflection(cutout, look.mirror) : undefined;
  if (mirrored) reflect(background, mirrored, scene.product);
  const levels = brand.placement === "studio" || brand.placement === "gradient" ? GRAIN[brand.placement] : 0;
  const picture = compose(background, cutout, scene.product, { seed: brand.seed, levels });
  return { picture, alone: onClear(scene, cutout), darkness, ...(harmonised && { harmonised }) };
}

/** @throws {Failure} `quality` when the placed pixels are not the photo's. */
function prove(scene: Scene, staged: Staged, product: PlacedProduct, isResized: boolean) {
  const { harmonised } = staged;
  const reference = harmonised ? applyGains(product.reference, harmonised.gains) : product.reference;
  const proof = compareCore(staged.picture, scene.product, reference, product.core);
  const fault = unfaithful(proof, isResized);
  if (fault) throw new Failure("quality", `the placed product ${fault}`);
  return proof;
}

const setName = ({ placement }: Brand, { set }: PlaceLook) =>
  set ?? (placement === "transparent" ? "none" : placement === "color" ? "flat" : placement);

function harmoniseFacts({ harmonised }: Staged) {
  if (!harmonised) return {};
  const { leastGain, mostGain, deltaE00P95 } = harmonised;
  return { harmonised: { leastGain, mostGain, deltaE00P95 } };
}

interface Staging {
  readonly input: PlaceInput;
  readonly look: PlaceLook;
  readonly shadow: Shadow | undefined;
  readonly settings: PlaceSettings;
}

async function stageGenerated(
  scene: Scene,
  product: PlacedProduct,
  on: OnBackground,
  maker: SceneMaker | undefined,
): Promise<Staged> {
  if (!maker) throw new Failure("model", "placement `generated` needs a scene model, and there is none");
  const canvas = stageOn(scene, product, on);
  const { brand, look } = on;
  const { staged, generated } = await paintScene({ brand, look, maker, canvas }, (background) =>
    stageOn(scene, product, { ...on, background }),
  );
  return { ...staged, generated };
}

async function stage(scene: Scene, product: PlacedProduct, staging: Staging): Promise<Staged> {
  const { input, look, shadow, settings } = staging;
  const { brand } = input;
  if (brand.placement === "transparent") return stageClear(scene, product, shadow);
  const on = { background: await buildBackground(scene, input, look, settings), shadow, look, brand };
  if (brand.placement === "generated") return stageGenerated(scene, product, on, settings.sceneMaker);
  return stageOn(scene, product, on);
}

/**
 * Places the cut-out product in the brand's scene and proves that its pixels are the source's.
 * @throws {Failure} `config` for a placement or set that is not offered, `quality` when the proof fails.
 */
export async function place(
  input: PlaceInput,
  settings: PlaceSettings,
): Promise<{ picture: EncodedPicture; layers: StageLayer[]; facts: PlaceFacts }> {
  const { photo, cutout, brand } = input;
  const cut = await cutProduct(photo, cutout, settings);
  const look = settleLook(brand, cut.alpha, cut.cutOff);
  const whole = shadowOf(cut.alpha, look);
  const { scene, scale } = planBounded(cut.box, visibleBox(cut.box, whole), look, settings.maxScenePixels);
  const product = await scaleProduct(cut, scene.product, scale);
  const shadow = scale === 1 ? whole : shadowOf(product.alpha, look);
  const staged = await stage(scene, product, { input, look, shadow, settings });
  const facts: PlaceFacts = {
    placement: brand.placement,
    set: setName(brand, look),
    pose: look.pose,
    snapped: [...(look.layout.snap ?? [])],
    shadowParts: [...look.parts],
    scale,
    productBox: scene.product,
    contentBox: contentBox(scene, shadow),
    frames: { ...scene.frames },
    fidelity: prove(scene, staged, product, scale !== 1),
    ...harmoniseFacts(staged),
    ...(staged.generated && { generated: staged.generated }),
  };
  const layers = await encodeLayers(staged.alone, staged.darkness);
  return { picture: await encodePng(staged.picture, staged.alpha), layers, facts };
}
