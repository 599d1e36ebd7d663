/** What stands behind the product, by the brand's placement. */
import type { Brand } from "#crds/brand.ts";
import sharp from "sharp";
import { Failure } from "../failure.ts";
import { makeGradient } from "../pipeline/gradient.ts";
import type { Scene, Size } from "../pipeline/layout.ts";
import { toLinear } from "../pipeline/linear-light.ts";
import { measureOf } from "../pipeline/camera.ts";
import type { Rgb } from "../pipeline/raster.ts";
import { FLOAT_GAP } from "../pipeline/shadow.ts";
import { type Background, makeFlatSet, makeStudioSet } from "../pipeline/studio-set.ts";
import { ingest, type IngestLimits } from "./ingest.ts";
import type { PlaceLook } from "./place-look.ts";

/** A product that the photo cuts off below is seen before the wall alone: the floor lies this far below, in measures. */
const FLOOR_OUT_OF_SIGHT = 0.8;

/** @param look its set, or a paper sweep for placements that have none */
function studioSet(scene: Scene, brand: Brand, look: PlaceLook): Background {
  const unit = measureOf(scene.product);
  const { product } = scene;
  const gap =
    look.pose === "floating"
      ? FLOAT_GAP
      : look.layout.snap?.includes("bottom") === true
        ? FLOOR_OUT_OF_SIGHT
        : 0;
  const colours = [brand.background ?? [], brand.palette].flat();
  return makeStudioSet(scene, {
    name: look.set ?? "sweep",
    product,
    foot: {
      x: product.x + look.foot.x * product.width,
      y: product.y + look.foot.y * product.height + gap * unit,
    },
    baseRise: look.foot.rise * product.height,
    from: look.pose === "lying" ? "top" : "front",
    colours: [...new Set(colours.map((colour) => colour.toLowerCase()))],
    seed: brand.seed,
    directionDegrees: look.shadow.directionDegrees,
  });
}

function gradient(scene: Scene, brand: Brand): Background {
  const { product } = scene;
  if (!brand.gradient || !brand.background) {
    throw new Failure("config", "placement `gradient` needs brand.background and brand.gradient");
  }
  return makeGradient(scene, {
    ...brand.gradient,
    from: brand.background,
    centre: { x: product.x + product.width / 2, y: product.y + product.height / 2 },
  });
}

/** Decoded by the rules for photos: it comes from a tenant as they do. */
async function decodeBackdrop(bytes: Uint8Array, limits: IngestLimits): Promise<Rgb> {
  try {
    return (await ingest(bytes, limits)).rgb;
  } catch (cause) {
    const why = cause instanceof Failure ? cause.message : "it cannot be read";
    throw new Failure("config", `the brand's background picture cannot be used: ${why}`, { cause });
  }
}

/** The picture as large as the scene: scaled until it covers it, its middle kept. */
async function coverScene(rgb: Rgb, { width, height }: Size): Promise<Background> {
  const raw = { width: rgb.width, height: rgb.height, channels: 3 } as const;
  const levels = await sharp(rgb.data, { raw })
    .resize(width, height, { fit: "cover", position: "centre", kernel: "lanczos3" })
    .raw()
    .toBuffer();
  return { width, height, data: toLight(levels) };
}

function toLight(levels: Uint8Array): Float32Array {
  const light = new Float32Array(levels.length);
  for (let i = 0; i < light.length; i++) light[i] = toLinear(levels[i] ?? 0);
  return light;
}

export interface BackgroundInput {
  readonly brand: Brand;
  /** For placement `image`: the tenant's picture as uploaded. */
  readonly backdrop?: Uint8Array | undefined;
}

/** @throws {Failure} `config` when the brand lacks what its placement needs. */
export async function buildBackground(
  scene: Scene,
  { brand, backdrop }: BackgroundInput,
  look: PlaceLook,
  limits: IngestLimits,
): Promise<Background> {
  switch (brand.placement) {
    case "studio":
    // What a model paints over begins as a plain set in the brand's colours.
    case "generated":
      return studioSet(scene, brand, look);
    case "gradient":
      return gradient(scene, brand);
    case "image":
      if (!backdrop) throw new Failure("config", "placement `image` needs brand.image");
      return coverScene(await decodeBackdrop(backdrop, limits), scene);
    case "color":
    case "transparent":
      return makeFlatSet(scene, brand.background ?? "#ffffff");
    default:
      return brand.placement satisfies never;
  }
}
