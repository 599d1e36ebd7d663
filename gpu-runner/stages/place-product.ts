/** The product's part of photo and cut-out, at the size that it has in the scene. */
import type { Box } from "#crds/runner-report.ts";
import { Failure } from "../failure.ts";
import type { Cutout } from "../pipeline/compose.ts";
import { EDGES, type Edge, type Size } from "../pipeline/layout.ts";
import { alphaBox, coreMask } from "../pipeline/matte.ts";
import { type Alpha, cropBytes, type Rgb } from "../pipeline/raster.ts";
import { ingest, type IngestLimits } from "./ingest.ts";
import { decodePicture, resizeAlpha, resizeRgb } from "./picture-codec.ts";
import { BOX_ALPHA } from "./segment.ts";

/** The photo's pixels and the cut-out's, both cropped to the product's box. */
export interface Cut extends Cutout {
  readonly source: Rgb;
  readonly box: Box;
  /** Edges of the photo that cut the product off. */
  readonly cutOff: readonly Edge[];
}

/** A product is cut off where so much of its side, and more than a few pixels, lies on the photo's edge. */
const CUT_OFF_SHARE = 0.04;
const CUT_OFF_PIXELS = 6;
const SOLID = 128;

function solidAlong(alpha: Alpha, edge: Edge): number {
  const { width, height, data } = alpha;
  const isRow = edge === "top" || edge === "bottom";
  const start = edge === "right" ? width - 1 : edge === "bottom" ? (height - 1) * width : 0;
  let solid = 0;
  for (let i = 0; i < (isRow ? width : height); i++) {
    if ((data[start + i * (isRow ? 1 : width)] ?? 0) >= SOLID) solid++;
  }
  return solid;
}

/** The photo's edges that cut the product off, told from the whole photo's matte and the product's box in it. */
export function cutOffEdges(alpha: Alpha, box: Box): Edge[] {
  return EDGES.filter((edge) => {
    const side = edge === "top" || edge === "bottom" ? box.width : box.height;
    return solidAlong(alpha, edge) >= Math.max(CUT_OFF_PIXELS, CUT_OFF_SHARE * side);
  });
}

/** @throws {Failure} `quality` when photo and cut-out do not belong together. */
export async function cutProduct(photo: Uint8Array, cutout: Uint8Array, limits: IngestLimits): Promise<Cut> {
  const { rgb: colour, alpha } = await decodePicture(cutout);
  const box = alpha && alphaBox(alpha, BOX_ALPHA);
  if (!box) throw new Failure("quality", "the cut-out holds no product");
  const { rgb: source } = await ingest(photo, limits);
  if (source.width !== colour.width || source.height !== colour.height) {
    throw new Failure("quality", "the cut-out and the photo differ in size: it was cut with other settings");
  }
  return {
    source: cropBytes(source, box, 3),
    colour: cropBytes(colour, box, 3),
    alpha: cropBytes(alpha, box, 1),
    box,
    cutOff: cutOffEdges(alpha, box),
  };
}

/** A product at its size in the scene, and what it must equal. */
export interface PlacedProduct extends Cutout {
  readonly reference: Rgb;
  /** Which of its pixels are compared with the reference. */
  readonly core: Uint8Array;
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

export async function scaleProduct(cut: Cut, size: Size, scale: number): Promise<PlacedProduct> {
  const { source, colour, alpha } = cut;
  return {
    colour: await resizeRgb(colour, size),
    alpha: await resizeAlpha(alpha, size),
    reference: await resizeRgb(source, size),
    core: placedCore(alpha, size, scale),
  };
}
