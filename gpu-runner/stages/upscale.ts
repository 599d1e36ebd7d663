import type { Box } from "#crds/runner-report.ts";
import { Failure, isOutOfMemory } from "../failure.ts";
import type { UpscaleEntry } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import { type Alpha, newRgb, type Rgb } from "../pipeline/raster.ts";
import { planTiles, readTile, type TileShape, writeTile } from "../pipeline/tiles.ts";
import type { UpscaleFacts } from "./facts.ts";
import { decodePicture, encodePng, type EncodedPicture, resizeAlpha } from "./picture-codec.ts";

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
  readonly model: UpscaleEntry;
  readonly sessions: ModelSessions;
}

async function upscaleByTiles({ rgb, alpha, model, sessions }: Work, shape: TileShape): Promise<Upscaled> {
  const { factor } = model.task;
  const out = newRgb(rgb.width * factor, rgb.height * factor);
  let tiles = 0;
  for (const core of planTiles(rgb, shape)) {
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

/**
 * Enlarges a stage's picture by the model's factor. The product and its surroundings go through the same
 * network, which was trained on fidelity to the original; alpha is enlarged by Lanczos, never by a network.
 * @throws {Failure} `out-of-memory` when even the smallest tile does not fit.
 */
export async function upscale(
  picture: Uint8Array,
  model: UpscaleEntry,
  sessions: ModelSessions,
): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  const { rgb, alpha } = await decodePicture(picture);
  const { factor, tile, padding } = model.task;
  const done = await upscaleWithin({ rgb, model, sessions, ...(alpha && { alpha }) }, { tile, padding });
  const largeAlpha = alpha && (await resizeAlpha(alpha, done.rgb));
  if (largeAlpha) clearTransparent(done.rgb, largeAlpha);
  return {
    picture: await encodePng(done.rgb, largeAlpha),
    facts: {
      factor,
      model: { name: model.name, sha256: model.sha256, licence: model.licence },
      tilePixels: done.tilePixels,
      tilesByModel: done.tiles,
      tilesByLanczos: 0,
      productTreatment: `enlarged ×${factor} by ${model.name}; its pixels are no longer the source's`,
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
    facts: { factor: 1, tilePixels: 0, tilesByModel: 0, tilesByLanczos: 0, productTreatment: "unchanged" },
  };
}
