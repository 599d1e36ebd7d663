/**
 * A scene painted by Stable Diffusion round the product. The model is given a canvas: the product before a plain
 * set in the brand's colours, its shadow drawn; what it paints is taken without the product, which is laid on as in
 * every other scene. Pictures in which the product seems to have grown are painted again from the next seed.
 */
import type { Brand } from "#crds/brand.ts";
import { Failure } from "../failure.ts";
import type { Cutout } from "../pipeline/compose.ts";
import { expansionOf } from "../pipeline/expansion.ts";
import { toLinear } from "../pipeline/linear-light.ts";
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import type { Background } from "../pipeline/studio-set.ts";
import type { GeneratedFacts } from "./facts.ts";
import type { PlaceLook } from "./place-look.ts";
import { composePrompt, type ScenePrompt } from "./scene-prompt.ts";
import type { SceneSettings } from "./scene-settings.ts";

/** What the painting of one scene needs. */
export interface PlateOrder extends ScenePrompt {
  /** The product in its place before a plain set, of the scene's size. */
  readonly canvas: Rgb;
  /** The product's matte, of the scene's size. */
  readonly product: Alpha;
  /** 0 < strength ≤ 1: how far the canvas is painted over. */
  readonly strength: number;
  readonly seed: number;
}

export interface Plate {
  /** The scene without the product, of the canvas's size. */
  readonly rgb: Rgb;
  /** The model's own checker objects. */
  readonly isUnsafe: boolean;
  readonly made: Omit<GeneratedFacts, "tries" | "growth">;
}

/** The models behind a scene. */
export interface SceneMaker {
  readonly settings: SceneSettings;
  paint(order: PlateOrder): Promise<Plate>;
  /** What a segmenter takes for the product, of the picture's size or smaller in the same ratio. */
  see(picture: Rgb): Promise<Alpha>;
  /** A matte at another size. */
  resize(alpha: Alpha, size: { readonly width: number; readonly height: number }): Promise<Alpha>;
}

/** A product that seems so much larger is another product. */
export const MOST_GROWTH = 0.04;

/** With colours of the brand's so much is painted over that they still shine through; else everything. */
const STRENGTH = { seeded: 0.92, free: 1 };

function asBackground({ width, height, data }: Rgb): Background {
  const light = new Float32Array(data.length);
  for (let i = 0; i < light.length; i++) light[i] = toLinear(data[i] ?? 0);
  return { width, height, data: light };
}

async function growthIn(picture: Rgb, product: Alpha, maker: SceneMaker): Promise<number> {
  const seen = await maker.see(picture);
  return expansionOf(await maker.resize(product, seen), seen);
}

interface Painted<T> {
  readonly staged: T;
  readonly plate: Plate;
  readonly growth: number;
}

/** A scene with the product in it, as compositing gives it. */
export interface StagedScene {
  readonly picture: Rgb;
  readonly alone: Cutout;
}

export interface SceneOrder {
  readonly brand: Brand;
  readonly look: PlaceLook;
  readonly maker: SceneMaker;
  /** The product before the plain set. */
  readonly canvas: StagedScene;
}

const hasColours = ({ background, palette }: Brand) => background !== undefined || palette.length > 0;

/**
 * Paints until the product keeps its size, at most as often as the settings say; then the picture in which it has
 * grown least is taken, and its facts tell.
 * @param stage lays the product on what was painted
 * @throws {Failure} `bad-input` for a refused prompt, `needs-review` when the model's checker objects to every try
 */
export async function paintScene<T extends StagedScene>(
  { brand, look, maker, canvas }: SceneOrder,
  stage: (background: Background) => T,
): Promise<{ readonly staged: T; readonly generated: GeneratedFacts }> {
  const { tries, refusedWords } = maker.settings;
  const order = {
    ...composePrompt(brand, look, refusedWords),
    canvas: canvas.picture,
    product: canvas.alone.alpha,
    strength: hasColours(brand) ? STRENGTH.seeded : STRENGTH.free,
  };
  let best: Painted<T> | undefined;
  let done = 0;
  while (done < tries && !(best && best.growth <= MOST_GROWTH)) {
    const plate = await maker.paint({ ...order, seed: brand.seed + done++ });
    if (plate.isUnsafe) continue;
    const staged = stage(asBackground(plate.rgb));
    const growth = await growthIn(staged.picture, order.product, maker);
    if (!best || growth < best.growth) best = { staged, plate, growth };
  }
  if (!best) {
    throw new Failure("needs-review", `the model's safety checker objects to each of ${tries} pictures`);
  }
  return { staged: best.staged, generated: { ...best.plate.made, tries: done, growth: best.growth } };
}
