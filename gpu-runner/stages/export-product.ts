/** The product alone: cut out of the finished picture, and set on pure white. */
import type { Box } from "#crds/runner-report.ts";
import type { Cut } from "../pipeline/crop.ts";
import { toLinear, toSrgb } from "../pipeline/linear-light.ts";
import type { Size } from "../pipeline/layout.ts";
import { type Alpha, cropBytes, joinRgba, type Rgb, splitRgba } from "../pipeline/raster.ts";
import { type ExportSource, resizePicture } from "./export.ts";
import type { RawPicture } from "./export-encode.ts";

/** The product on nothing, of the finished picture's size. */
export interface Cutout {
  readonly rgb: Rgb;
  readonly alpha: Alpha;
}

/** From this opacity on the finished picture's colours count; below it the set shines through them. */
const SOLID = 224;
/** Fainter pixels lie outside the product's box too: haze that a buyer's white page would show. */
const LEAST_OPACITY = 4;

/**
 * The cut-out that belongs to a finished picture. The layer's edges are free of the set's colours; inside, the
 * finished picture's own pixels are taken, which the upscaler has sharpened where the layer was only enlarged.
 */
export async function cutoutOf(
  source: ExportSource,
  layer: RawPicture | undefined,
): Promise<Cutout | undefined> {
  if (source.channels === 4) return splitRgba(source.data, source.width, source.height);
  if (layer?.channels !== 4) return undefined;
  const { data } = await resizePicture(layer, source);
  const { rgb, alpha } = splitRgba(data, source.width, source.height);
  for (let i = 0, at = 0; i < alpha.data.length; i++, at += 3) {
    const opacity = alpha.data[i] ?? 0;
    if (opacity <= SOLID) continue;
    const share = (opacity - SOLID) / (255 - SOLID);
    for (let c = at; c < at + 3; c++) {
      const own = rgb.data[c] ?? 0;
      rgb.data[c] = Math.round(own + share * ((source.data[c] ?? 0) - own));
    }
  }
  return { rgb, alpha };
}

export function asRgba({ rgb, alpha }: Cutout): RawPicture {
  return { data: joinRgba(rgb, alpha), width: rgb.width, height: rgb.height, channels: 4 };
}

/** A picture on white, and where in it the product is. */
export interface OnWhite {
  readonly picture: RawPicture;
  /** The product's matte at its place in the picture. */
  readonly silhouette: Alpha;
}

/**
 * Sets the product on pure #ffffff: scaled first and mixed afterwards, in linear light, so that no resampling
 * rings into the white. `from` is the product's box in the cut-out, `to` its place in the result.
 */
export async function setOnWhite(cutout: Cutout, from: Box, to: Cut, size: Size): Promise<OnWhite> {
  const product = asRgba({ rgb: cropBytes(cutout.rgb, from, 3), alpha: cropBytes(cutout.alpha, from, 1) });
  const scaled = await resizePicture(product, to);
  const { rgb, alpha } = splitRgba(scaled.data, to.width, to.height);
  const data = new Uint8Array(size.width * size.height * 3).fill(255);
  const silhouette = { ...size, data: new Uint8Array(size.width * size.height) };
  for (let y = 0, i = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++, i++) {
      const opacity = alpha.data[i] ?? 0;
      if (opacity < LEAST_OPACITY) continue;
      const at = (to.y + y) * size.width + to.x + x;
      silhouette.data[at] = opacity;
      for (let c = 0; c < 3; c++) data[at * 3 + c] = onWhite(rgb.data[i * 3 + c] ?? 0, opacity);
    }
  }
  return { picture: { data, ...size, channels: 3 }, silhouette };
}

function onWhite(level: number, opacity: number): number {
  if (opacity === 255) return level;
  const share = opacity / 255;
  return Math.round(toSrgb(toLinear(level) * share + (1 - share)));
}
