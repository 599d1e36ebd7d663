import type { Box } from "#crds/runner-report.ts";
import { Failure, isOutOfMemory } from "../failure.ts";
import { type UpscaleEntry, upscaler, type UpscalerQuality } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import { backProject } from "../pipeline/back-projection.ts";
import { grown, moved } from "../pipeline/box.ts";
import { extendColours } from "../pipeline/extend-colours.ts";
import { interpolated } from "../pipeline/interpolation.ts";
import type { Size } from "../pipeline/layout.ts";
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import { fittedTile, planTiles, readTile, squareTile, type TileShape, writeTile } from "../pipeline/tiles.ts";
import type { UpscaleFacts } from "./facts.ts";
import {
  decodePicture,
  encodePng,
  type EncodedPicture,
  pictureSize,
  resizeAlpha,
  resizeRgb,
} from "./picture-codec.ts";
import { type UpscaleGoal, wantedSize, wholeFactor } from "./upscale-size.ts";

/** A machine without room for such a tile is not one for this work; and some of it must not be padding. */
const smallestTile = (padding: number) => Math.max(64, 2 * padding + 32);

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

async function upscaleByTiles(work: Work, shape: TileShape): Promise<Upscaled> {
  const { rgb, alpha, detail, model, sessions } = work;
  const { factor, gain } = model.task;
  const out = interpolated(rgb, factor);
  let tiles = 0;
  for (const planned of planTiles(detail, shape)) {
    const core = moved(planned, detail.x, detail.y);
    if (isTransparent(alpha, core)) continue;
    const dims = [1, 3, shape.height, shape.width];
    const tile = await sessions.run(model, { data: readTile(rgb, core, shape), dims, output: "upscaled" });
    writeTile(out, core, tile, { ...shape, factor, gain });
    tiles++;
  }
  if (tiles > 0) backProject(out, rgb, factor, detail);
  return { rgb: out, tiles, tilePixels: Math.max(shape.width, shape.height) };
}

/** A GPU chooses its kernels anew for every shape, so it gets one; on a CPU less padding is less work. */
function shapeFor({ detail, model, sessions }: Work, side: number): TileShape {
  const { padding } = model.task;
  return sessions.provider === "cpu" ? fittedTile(detail, side, padding) : squareTile(side, padding);
}

/** Goes on with tiles of half the size when memory runs out. @param side the most that a tile may have. */
async function upscaleWithin(work: Work, side: number): Promise<Upscaled> {
  try {
    return await upscaleByTiles(work, shapeFor(work, side));
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    const half = Math.max(smallestTile(work.model.task.padding), 2 * Math.round(side / 4));
    if (half >= side) {
      throw new Failure("out-of-memory", `memory ran out upscaling a tile of ${side} pixels`, {
        cause: error,
      });
    }
    return upscaleWithin(work, half);
  }
}

/** Pixels round the product that still go through the model: its soft edge and the seam of its shadow. */
const DETAIL_MARGIN_PIXELS = 12;

interface Enlarging {
  /** The product's box: what lies outside is a smooth set. Without one, all of the picture counts. */
  readonly productBox?: Box;
  /** Side of a tile, as a part of the model's own: smaller when memory ran out before. Without it, 1. */
  readonly tileScale?: number;
  /** The finished size, no larger than the model makes it. Without it, what the model makes. */
  readonly size?: Size;
}

export interface UpscaleInput extends Enlarging {
  readonly picture: Uint8Array;
}

interface Decoded {
  readonly rgb: Rgb;
  readonly alpha?: Alpha | undefined;
}

/** Even sides only: halving goes on from here. */
function scaledTile({ tile, padding }: UpscaleEntry["task"], scale: number): number {
  return Math.min(tile, Math.max(smallestTile(padding), 2 * Math.round((tile * scale) / 2)));
}

/** Further than any model looks round a pixel that is not wholly transparent. */
const COLOUR_REACH_PIXELS = 24;

/**
 * Enlarges a picture by the model's factor, and shrinks it from there when a smaller size is asked for. The product
 * goes through the network, which was trained on fidelity to the original, and is then matched to its source; the
 * smooth set round it is interpolated, which no eye can tell apart there and which costs nothing. So is alpha, never
 * by a network.
 * @throws {Failure} `out-of-memory` when even the smallest tile does not fit.
 */
export async function enlarge(
  { rgb: seen, alpha }: Decoded,
  { productBox, tileScale = 1, size }: Enlarging,
  model: UpscaleEntry,
  sessions: ModelSessions,
): Promise<Decoded & { readonly facts: UpscaleFacts }> {
  const rgb = alpha ? extendColours(seen, alpha, COLOUR_REACH_PIXELS) : seen;
  const whole = { x: 0, y: 0, width: rgb.width, height: rgb.height };
  const detail = productBox ? grown(productBox, DETAIL_MARGIN_PIXELS, rgb) : whole;
  const work = { rgb, detail, model, sessions, ...(alpha && { alpha }) };
  const done = await upscaleWithin(work, scaledTile(model.task, tileScale));
  const large = await resizeRgb(done.rgb, size ?? done.rgb);
  const largeAlpha = alpha && (await resizeAlpha(alpha, large));
  if (largeAlpha) clearTransparent(large, largeAlpha);
  return {
    rgb: large,
    alpha: largeAlpha,
    facts: {
      factor: large.width / rgb.width,
      model: { name: model.name, sha256: model.sha256, licence: model.licence },
      tilePixels: done.tilePixels,
      tiles: done.tiles,
      detailBox: detail,
      productTreatment: treatmentBy(model, large.width / rgb.width),
    },
  };
}

/** The same of a stage's picture. @throws {Failure} as `enlarge`. */
export async function upscale(
  { picture, ...enlarging }: UpscaleInput,
  model: UpscaleEntry,
  sessions: ModelSessions,
): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  const { rgb, alpha, facts } = await enlarge(await decodePicture(picture), enlarging, model, sessions);
  return { picture: await encodePng(rgb, alpha), facts };
}

function treatmentBy({ name, task }: UpscaleEntry, finished: number): string {
  const shrunk = finished < task.factor ? ` and shrunk to ×${finished.toFixed(2)} by Lanczos` : "";
  return (
    `enlarged ×${task.factor} by ${name}, matched to the source's pixels${shrunk}: ` +
    "its pixels are no longer the source's"
  );
}

/**
 * Enlarges a picture as far as its exports use it, by the smallest model that reaches; leaves alone what is
 * large enough.
 * @throws {Failure} as `upscale`.
 */
export async function upscaleTo(
  work: Omit<UpscaleInput, "size"> & UpscaleGoal,
  quality: UpscalerQuality,
  sessions: ModelSessions,
): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  const from = await pictureSize(work.picture);
  const size = wantedSize(from, work);
  const factor = wholeFactor(from, size);
  if (factor === 1) return keepSize(work.picture);
  return upscale({ ...work, size }, upscaler(factor, quality), sessions);
}

/** Nothing hides under full transparency, and the file stays small. */
function clearTransparent(rgb: Rgb, alpha: Alpha): void {
  for (let i = 0; i < alpha.data.length; i++) {
    if (alpha.data[i] === 0) rgb.data.fill(0, i * 3, i * 3 + 3);
  }
}

/** Factor 1: the picture stays as it is. */
async function keepSize(picture: Uint8Array): Promise<{ picture: EncodedPicture; facts: UpscaleFacts }> {
  return {
    picture: { bytes: new Uint8Array(picture), ...(await pictureSize(picture)), extension: "png" },
    facts: { factor: 1, tilePixels: 0, tiles: 0, productTreatment: "unchanged" },
  };
}
