import { createHash } from "node:crypto";
import sharp, { type Metadata, type Sharp } from "sharp";
import { Failure } from "../failure.ts";
import { type Alpha, newRgb, type Rgb, splitRgba } from "../pipeline/raster.ts";
import { readRights, type Rights } from "../provenance/rights.ts";
import { colourNote } from "./ingest-colour.ts";
import { isPhotoFormat, type PhotoFormat, refusalOf, sniffFormat } from "./ingest-format.ts";

export interface IngestLimits {
  /** Pictures with more pixels are refused before they are decoded. */
  readonly maxSourceMegapixels: number;
  /** The longer side of the picture that is worked on; larger photos are scaled down to it. */
  readonly workingPixels: number;
  /**
   * Whole seconds after which a decode is broken off; 30 without it. Decoders that go line by line end at
   * once; those that read a picture in one piece (WebP, AVIF, progressive JPEG) end with it, and the pixel
   * limit bounds that: at most 9 s were seen for 98 megapixels.
   */
  readonly maxDecodeSeconds?: number;
}

const MAX_DECODE_SECONDS = 30;
/** A product that is smaller cannot become a picture that sells. */
const MIN_SIDE_PIXELS = 64;
/** A photo is a cut-out already when so much of it is see-through; less is a rounded corner or a stray pixel. */
const CUTOUT_SHARE = 0.03;

interface Source {
  readonly format: PhotoFormat;
  /** As it is looked at, turned upright. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Photo {
  /** On white where the file is see-through. */
  readonly rgb: Rgb;
  /** The file's own matte, where the photo was a cut-out already: whoever made it knew the product better. */
  readonly alpha?: Alpha;
  readonly source: Source;
  readonly rights?: Rights;
  /** What was done to the photo that its owner may not expect, as sentences. */
  readonly notes: readonly string[];
}

const refuse = (message: string, cause?: unknown) => new Failure("bad-input", message, { cause });

async function readHeader(bytes: Uint8Array): Promise<{ format: PhotoFormat; header: Metadata }> {
  if (bytes.length === 0) throw refuse("the file is empty: upload the photo again");
  const format = sniffFormat(bytes);
  if (!isPhotoFormat(format)) throw refuse(refusalOf(format));
  try {
    return { format, header: await sharp(bytes, { limitInputPixels: false }).metadata() };
  } catch (cause) {
    throw refuse(refusalOf(undefined), cause);
  }
}

function checkSize({ width, height }: Metadata, limits: IngestLimits): void {
  if (width * height > limits.maxSourceMegapixels * 1e6) {
    throw refuse(
      `the picture has ${width}×${height} pixels: at most ${limits.maxSourceMegapixels} megapixels are taken`,
    );
  }
  if (Math.min(width, height) < MIN_SIDE_PIXELS) {
    throw refuse(
      `the picture has ${width}×${height} pixels: each side must have at least ${MIN_SIDE_PIXELS}`,
    );
  }
}

/** Of 16 bits a channel, sharp converts by the profile only when it is to attach one: 3.4 ΔE00 off without. */
function managed(picture: Sharp, { icc, depth }: Metadata): Sharp {
  return icc && depth !== "uchar" ? picture.withIccProfile("srgb") : picture.toColourspace("srgb");
}

/** Upright 8-bit sRGB of the working size, with alpha where the file has it. */
async function decode(bytes: Uint8Array, header: Metadata, limits: IngestLimits) {
  const side = limits.workingPixels;
  const seconds = limits.maxDecodeSeconds ?? MAX_DECODE_SECONDS;
  try {
    const picture = sharp(bytes, { limitInputPixels: limits.maxSourceMegapixels * 1e6, failOn: "error" });
    return await managed(picture.autoOrient(), header)
      .resize(side, side, {
        fit: "inside",
        withoutEnlargement: true,
        kernel: "lanczos3",
        fastShrinkOnLoad: false,
      })
      .timeout({ seconds })
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    if (cause instanceof Error && /timeout/i.test(cause.message)) {
      throw refuse(`the picture takes more than ${seconds} s to decode: save it anew as a plain JPEG`, cause);
    }
    throw refuse("the picture is damaged or cut off: upload it again", cause);
  }
}

function onWhite(rgb: Rgb, alpha: Alpha): Rgb {
  const out = newRgb(rgb.width, rgb.height);
  for (let i = 0, at = 0; i < alpha.data.length; i++) {
    const opacity = alpha.data[i] ?? 0;
    for (let c = 0; c < 3; c++, at++) {
      out.data[at] = Math.round(((rgb.data[at] ?? 0) * opacity + 255 * (255 - opacity)) / 255);
    }
  }
  return out;
}

/** How many pixels are not opaque, and the share that is more see-through than not. */
function transparency({ data }: Alpha): { seeThrough: number; share: number } {
  let seeThrough = 0;
  let mostly = 0;
  for (const opacity of data) {
    if (opacity < 255) seeThrough++;
    if (opacity < 128) mostly++;
  }
  return { seeThrough, share: mostly / data.length };
}

interface Layers {
  readonly rgb: Rgb;
  readonly alpha?: Alpha;
  readonly note?: string;
}

/** Many files carry an alpha channel that is opaque everywhere. */
function readAlpha(rgba: { rgb: Rgb; alpha: Alpha }): Layers {
  const { seeThrough, share } = transparency(rgba.alpha);
  if (seeThrough === 0) return { rgb: rgba.rgb };
  const rgb = onWhite(rgba.rgb, rgba.alpha);
  if (share < CUTOUT_SHARE || share > 1 - CUTOUT_SHARE / 10) {
    return { rgb, note: "the picture is partly transparent: it was laid on white" };
  }
  return {
    rgb,
    alpha: rgba.alpha,
    note: "the picture is partly transparent: it was taken as a cut-out, on white",
  };
}

function notesOn(header: Metadata, layers: Layers): string[] {
  const { pages = 1 } = header;
  return [
    ...(pages > 1 ? [`the file holds ${pages} pictures: the first was taken`] : []),
    ...(layers.note === undefined ? [] : [layers.note]),
    ...[colourNote(header) ?? []].flat(),
  ];
}

/**
 * Reads a photo into upright 8-bit sRGB whose longer side is at most `workingPixels`: orientation applied, ICC
 * profile converted, transparency laid on white, the first picture of several. Of its metadata only the rights
 * are kept.
 * @throws {Failure} `bad-input` with a sentence for the photo's owner.
 */
export async function ingest(bytes: Uint8Array, limits: IngestLimits): Promise<Photo> {
  const { format, header } = await readHeader(bytes);
  checkSize(header, limits);
  const { data, info } = await decode(bytes, header, limits);
  const layers =
    info.channels === 4
      ? readAlpha(splitRgba(data, info.width, info.height))
      : { rgb: { width: info.width, height: info.height, data } };
  const { width, height } = header.autoOrient;
  const rights = readRights(header);
  return {
    rgb: layers.rgb,
    ...("alpha" in layers && layers.alpha && { alpha: layers.alpha }),
    source: {
      format,
      width,
      height,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    },
    ...(rights && { rights }),
    notes: notesOn(header, layers),
  };
}
