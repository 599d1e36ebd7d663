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

/** Interleaved 8-bit channels, one or three. */
interface Raw extends Size {
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** A single channel stays one: sharp would make three of it. */
function open({ width, height, channels, data }: Raw): Sharp {
  const picture = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  return channels === 1 ? picture.toColourspace("b-w") : picture;
}

async function read(picture: Sharp, channels: Raw["channels"]): Promise<Raw> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels, data };
}

/** Pixels that are repeated round a picture before it is enlarged: the interpolator reaches so far. */
const BORDER = 3;

/**
 * Enlarges by whole factors, bicubic, with the centres of old and new pixels aligned. libvips' own enlarging begins
 * at the corner, so that its result lies half a pixel beside the picture, and beside what a network made of it.
 */
async function enlarge(raw: Raw, across: number, down: number): Promise<Raw> {
  const { width, height, channels } = raw;
  const edges = { top: BORDER, bottom: BORDER, left: BORDER, right: BORDER };
  const bordered = await read(open(raw).extend({ ...edges, extendWith: "copy" }), channels);
  const shift = { odx: (across - 1) / 2, ody: (down - 1) / 2 };
  const large = open(bordered).affine([across, 0, 0, down], { interpolator: "bicubic", ...shift });
  const inner = { left: BORDER * across, top: BORDER * down, width: width * across, height: height * down };
  return read(open(await read(large, channels)).extract(inner), channels);
}

/** Shrinks by Lanczos-3; what grows goes first to the next whole factor. */
async function resize(raw: Raw, { width, height }: Size): Promise<Uint8Array> {
  const across = Math.max(1, Math.ceil(width / raw.width));
  const down = Math.max(1, Math.ceil(height / raw.height));
  const grown = across === 1 && down === 1 ? raw : await enlarge(raw, across, down);
  const { data } = await read(
    open(grown).resize(width, height, { fit: "fill", kernel: "lanczos3" }),
    raw.channels,
  );
  return data;
}

/** The size of a picture that a stage wrote, from its header alone. */
export async function pictureSize(bytes: Uint8Array): Promise<Size> {
  const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return { width, height };
}

/** To an exact size, pixel centres aligned. */
export async function resizeRgb(rgb: Rgb, to: Size): Promise<Rgb> {
  if (rgb.width === to.width && rgb.height === to.height) return rgb;
  return { width: to.width, height: to.height, data: await resize({ ...rgb, channels: 3 }, to) };
}

/** To an exact size, pixel centres aligned. */
export async function resizeAlpha(alpha: Alpha, to: Size): Promise<Alpha> {
  if (alpha.width === to.width && alpha.height === to.height) return alpha;
  return { width: to.width, height: to.height, data: await resize({ ...alpha, channels: 1 }, to) };
}
