import sharp, { type Sharp } from "sharp";
import type { Size } from "../pipeline/layout.ts";
import { type Alpha, joinRgba, type Rgb, splitRgba } from "../pipeline/raster.ts";

/** The stage pictures are PNG: lossless, so that nothing a stage proves is undone by its file. */
export interface EncodedPicture extends Size {
  /** Its own buffer, never a view of a pool: it can be handed to another thread. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly extension: "png" | "jpg";
}

/** Files are read once or twice and then deleted: fast to write counts more than small. */
const PNG = { compressionLevel: 2, adaptiveFiltering: true } as const;

function fromRgb(rgb: Rgb): Sharp {
  return sharp(rgb.data, { raw: { width: rgb.width, height: rgb.height, channels: 3 } });
}

function fromRgba(rgb: Rgb, alpha: Alpha): Sharp {
  return sharp(joinRgba(rgb, alpha), { raw: { width: rgb.width, height: rgb.height, channels: 4 } });
}

/** Encodes as PNG, with alpha where there is one. */
export async function encodePng(rgb: Rgb, alpha?: Alpha): Promise<EncodedPicture> {
  const raw = alpha ? fromRgba(rgb, alpha) : fromRgb(rgb);
  const png = await raw.png(PNG).toBuffer();
  return { bytes: new Uint8Array(png), width: rgb.width, height: rgb.height, extension: "png" };
}

export interface DecodedPicture {
  readonly rgb: Rgb;
  readonly alpha?: Alpha;
}

/** Decodes a picture that a stage wrote. */
export async function decodePicture(bytes: Uint8Array): Promise<DecodedPicture> {
  const { data, info } = await sharp(bytes, { limitInputPixels: false })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 4) return splitRgba(data, info.width, info.height);
  return { rgb: { width: info.width, height: info.height, data } };
}

/** Lanczos-3 to an exact size. */
export async function resizeRgb(rgb: Rgb, { width, height }: Size): Promise<Rgb> {
  if (rgb.width === width && rgb.height === height) return rgb;
  const data = await fromRgb(rgb).resize(width, height, { fit: "fill", kernel: "lanczos3" }).raw().toBuffer();
  return { width, height, data };
}

/** Lanczos-3 to an exact size. */
export async function resizeAlpha(alpha: Alpha, { width, height }: Size): Promise<Alpha> {
  if (alpha.width === width && alpha.height === height) return alpha;
  const raw = { width: alpha.width, height: alpha.height, channels: 1 } as const;
  const data = await sharp(alpha.data, { raw })
    .resize(width, height, { fit: "fill", kernel: "lanczos3" })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
  return { width, height, data };
}
