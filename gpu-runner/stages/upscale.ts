import type { Box } from "#crds/runner-report.ts";
import { Failure, isOutOfMemory } from "../failure.ts";
import type { UpscaleEntry } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import { grown, moved } from "../pipeline/box.ts";
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import { planTiles, readTile, type TileShape, writeTile } from "../pipeline/tiles.ts";
import type { UpscaleFacts } from "./facts.ts";
import { decodePicture, encodePng, type EncodedPicture, resizeAlpha, resizeRgb } from "./picture-codec.ts";

/** Halving stops here: a machine without room for such a tile is not one for this work. */
const SMALLEST_TILE = 64;

interface Upscaled {
  readonly rgb: Rgb;
  readonly tiles: number;
  readonly tilePixels: number;
}

function isTransparent(alpha: Alpha | undefined, core: Box): boolean {
  if (!alpha) return false;
  for (let y = core.y; y < core.y + core.height; y++) {
    for (let x = core.x; x < core.x + core.width; x++) {
      if (alpha.data[y * alpha.width + x] !== 0) return false;
    }
  }
  return true;
}

interface Work {
  readonly rgb: Rgb;
  readonly alpha?: Alpha;
  /** The part of the picture that the model enlarges. */
  readonly detail: Box;
  readonly model: UpscaleEntry;
  readonly sessions: ModelSessions;
}

async function upscaleByTiles(
  { rgb, alpha, detail, model, sessions }: Work,
  shape: TileShape,
): Promise<Upscaled> {
  const { factor } = model.task;
  const out = await resizeRgb(rgb, { width: rgb.width * factor, height: rgb.height * factor });
  let tiles = 0;
  for (const planned of planTiles(detail, shape)) {
    const core = moved(planned, detail.x, detail.y);
    if (isTransparent(alpha, core)) continue;
    const dims = [1, 3, shape.tile, shape.tile];
    const tile = await sessions.run(model, { data: readTile(rgb, core, shape), dims, output: "upscaled" });
    writeTile(out, core, tile, { ...shape, factor });
    tiles++;
  }
  return { rgb: out, tiles, tilePixels: shape.tile };
}

/** Goes on with tiles of half the size when memory runs out. */
async function upscaleWithin(work: Work, shape: TileShape): Promise<Upscaled> {
  try {
    return await upscaleByTiles(work, shape);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    const tile = shape.tile / 2;
    if (tile < SMALLEST_TILE) {
      throw new Failure("out-of-memory", `memory ran out upscaling a tile of ${shape.tile} pixels`, {
        cause: error,
      });
    }
    return upscaleWithin(work, { ...shape, tile });
  }
}

/** Pixels round the product that still go through the model: its soft edge and the seam of its shadow. */
const DETAIL_MARGIN_PIXELS = 12;

export interface UpscaleInput {
  readonly picture: Uint8Array;
  /** The product's box: what lies outside is a smooth set. Without one, all of the picture counts. */
  readonly productBox?: Box;
  /** Side of a tile, as a part of the model's own: smaller when memory ran out before. Without it, 1. */
  readonly tileScale?: number;
}

/** Even sides only: halving goes on from here. */
function scaledTile(tile: number, scale: number): number {
  return Math.min(tile, Math.max(SMALLEST_TILE, 2 * Math.round((tile * scale) / 2)));
}

/**
 * Enlarges a stage's picture by the model's factor. The product goes through the network, which was trained on
 * fidelity to the original; the smooth set round it is enlarged by Lanczos, which no eye can tell apart there
 * and which costs nothing. So is alpha, never by a network.
 * @throws {Failure} `out-of-memory` when even the smallest tile does not fit.
 */
export async function upscale(
  { picture, productBox, tileScale = 1 }: UpscaleInput,
  model: UpscaleEntry,
  sessions: ModelSessions,
): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  const { rgb, alpha } = await decodePicture(picture);
  const { factor, tile, padding } = model.task;
  const whole = { x: 0, y: 0, width: rgb.width, height: rgb.height };
  const detail = productBox ? grown(productBox, DETAIL_MARGIN_PIXELS, rgb) : whole;
  const work = { rgb, detail, model, sessions, ...(alpha && { alpha }) };
  const done = await upscaleWithin(work, { tile: scaledTile(tile, tileScale), padding });
  const largeAlpha = alpha && (await resizeAlpha(alpha, done.rgb));
  if (largeAlpha) clearTransparent(done.rgb, largeAlpha);
  return {
    picture: await encodePng(done.rgb, largeAlpha),
    facts: {
      factor,
      model: { name: model.name, sha256: model.sha256, licence: model.licence },
      tilePixels: done.tilePixels,
      tiles: done.tiles,
      detailBox: detail,
      productTreatment: `enlarged ×${factor} by ${model.name}: its pixels are no longer the source's`,
    },
  };
}

/** Nothing hides under full transparency, and the file stays small. */
function clearTransparent(rgb: Rgb, alpha: Alpha): void {
  for (let i = 0; i < alpha.data.length; i++) {
    if (alpha.data[i] === 0) rgb.data.fill(0, i * 3, i * 3 + 3);
  }
}

/** Factor 1: the picture stays as it is. */
export async function keepSize(
  picture: Uint8Array,
): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  const { rgb } = await decodePicture(picture);
  return {
    picture: { bytes: new Uint8Array(picture), width: rgb.width, height: rgb.height, extension: "png" },
    facts: { factor: 1, tilePixels: 0, tiles: 0, productTreatment: "unchanged" },
  };
}
