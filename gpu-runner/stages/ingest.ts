import { createHash } from "node:crypto";
import sharp, { type Metadata } from "sharp";
import { Failure } from "../failure.ts";
import type { Rgb } from "../pipeline/raster.ts";

export interface IngestLimits {
  /** Pictures with more pixels are refused before they are decoded. */
  readonly maxSourceMegapixels: number;
  /** The longer side of the picture that is worked on; larger photos are scaled down to it. */
  readonly workingPixels: number;
}

/** A product that is smaller cannot become a picture that sells. */
const MIN_SIDE_PIXELS = 64;

/** By sharp's names. SVG and PDF are documents that run: they are never opened. */
const FORMATS: ReadonlySet<string> = new Set(["jpeg", "png", "webp", "heif", "tiff", "gif"]);

interface Source {
  readonly format: string;
  /** As it is looked at, turned upright. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Photo {
  readonly rgb: Rgb;
  readonly source: Source;
  /** What was done to the photo that its owner may not expect, as sentences. */
  readonly notes: readonly string[];
}

const refuse = (message: string, cause?: unknown) => new Failure("bad-input", message, { cause });

async function readHeader(bytes: Uint8Array): Promise<Metadata> {
  if (bytes.length === 0) throw refuse("the file is empty: upload the photo again");
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw refuse(
      "the file is not a picture that can be read: upload a JPEG, PNG, WebP, AVIF, TIFF or GIF",
      cause,
    );
  }
}

function checkHeader({ format, width, height }: Metadata, limits: IngestLimits): void {
  if (!FORMATS.has(format)) {
    throw refuse(`${format} files are not taken: upload a JPEG, PNG, WebP, AVIF, TIFF or GIF`);
  }
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

async function notesOn(bytes: Uint8Array, { pages = 1, hasAlpha }: Metadata): Promise<string[]> {
  const notes: string[] = [];
  if (pages > 1) notes.push(`the file holds ${pages} pictures: the first was taken`);
  // Many files carry an alpha channel that is opaque everywhere.
  if (hasAlpha && !(await sharp(bytes).stats()).isOpaque) {
    notes.push("the picture is partly transparent: it was laid on white");
  }
  return notes;
}

/**
 * Reads a photo into upright 8-bit sRGB whose longer side is at most `workingPixels`: orientation applied, ICC
 * profile converted, transparency laid on white, the first picture of several.
 * @throws {Failure} `bad-input` with a sentence for the photo's owner.
 */
export async function ingest(bytes: Uint8Array, limits: IngestLimits): Promise<Photo> {
  const header = await readHeader(bytes);
  checkHeader(header, limits);
  const side = limits.workingPixels;
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: limits.maxSourceMegapixels * 1e6,
      failOn: "error",
    })
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .resize(side, side, {
        fit: "inside",
        withoutEnlargement: true,
        kernel: "lanczos3",
        fastShrinkOnLoad: false,
      })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = header.autoOrient;
    const source = {
      format: header.format,
      width,
      height,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
    const notes = await notesOn(bytes, header);
    return { rgb: { width: info.width, height: info.height, data }, source, notes };
  } catch (cause) {
    throw refuse("the picture is damaged or cut off: upload it again", cause);
  }
}
