/** From pixels to an export's file: format, quality, weight, and the metadata that it carries. */
import sharp, { type Sharp } from "sharp";
import type { FileFormat } from "../channels/profiles.ts";
import type { Size } from "../pipeline/layout.ts";

/** Pixels as sharp takes them: grey, RGB or RGBA with straight alpha, 8-bit sRGB. */
export interface RawPicture extends Size {
  readonly data: Uint8Array;
  readonly channels: 1 | 3 | 4;
}

export interface EncodeSettings {
  readonly format: FileFormat;
  /** 1..100 on JPEG's scale. */
  readonly quality: number;
  /** The packet with rights and source type. */
  readonly xmp: string;
}

/** A file's weight may lower the quality so far and no further: below, blocks are seen. */
const LEAST_QUALITY = 50;
const QUALITY_STEP = 5;

/**
 * The quality of other encoders that gives JPEG's PSNR at each support point, measured at 600 × 600 of a photo
 * with 4:4:4 chroma: one number looks the same in every format.
 */
const JPEG_QUALITY = [0, 60, 75, 90, 100] as const;
const SAME_AS_JPEG = {
  webp: [40, 77, 84, 94, 100],
  avif: [10, 48, 59, 83, 100],
} as const;

export function sameQuality(format: "webp" | "avif", quality: number): number {
  const table = SAME_AS_JPEG[format];
  const upper = JPEG_QUALITY.findIndex((support) => support >= quality);
  const [from = 0, to = 100] = [JPEG_QUALITY[upper - 1], JPEG_QUALITY[upper]];
  const share = to === from ? 0 : (quality - from) / (to - from);
  const [low = 0, high = 100] = [table[upper - 1], table[upper]];
  return Math.round(low + share * (high - low));
}

function encoder(picture: Sharp, { format, quality }: EncodeSettings): Sharp {
  switch (format) {
    case "jpeg":
      return picture.jpeg({ quality, chromaSubsampling: "4:4:4" });
    case "png":
      return picture.png({ compressionLevel: 8, adaptiveFiltering: true });
    case "webp":
      return picture.webp({ quality: sameQuality("webp", quality), smartSubsample: true });
    case "avif":
      return picture.avif({ quality: sameQuality("avif", quality), chromaSubsampling: "4:4:4" });
    default:
      return format satisfies never;
  }
}

/** Encodes with an sRGB profile. The same pixels and settings give the same bytes. */
export async function encodeExport(
  { data, width, height, channels }: RawPicture,
  settings: EncodeSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const picture = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  const tagged = channels === 1 ? picture.toColourspace("b-w") : picture.withIccProfile("srgb");
  return new Uint8Array(await encoder(tagged.withXmp(settings.xmp), settings).toBuffer());
}

export interface WeightLimits {
  /** Bytes, both included. */
  readonly min: number;
  readonly max: number;
}

export interface EncodedExport {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly quality: number;
}

/** The quality to try after one that came out too heavy or too light; undefined when there is none left. */
function nextQuality(size: number, quality: number, { min, max }: WeightLimits): number | undefined {
  if (size > max)
    return quality > LEAST_QUALITY ? Math.max(LEAST_QUALITY, quality - QUALITY_STEP) : undefined;
  if (size < min) return quality < 100 ? Math.min(100, quality + QUALITY_STEP) : undefined;
  return undefined;
}

/**
 * Encodes at the wanted quality, or at the nearest one, in steps, whose file keeps the limits. When none does,
 * the last try is given back: the validator says what is wrong with it.
 */
export async function encodeWithin(
  picture: RawPicture,
  settings: EncodeSettings,
  limits: WeightLimits,
): Promise<EncodedExport> {
  const tried = new Set<number>();
  for (let quality = settings.quality; ;) {
    tried.add(quality);
    const bytes = await encodeExport(picture, { ...settings, quality });
    const next = settings.format === "png" ? undefined : nextQuality(bytes.length, quality, limits);
    if (next === undefined || tried.has(next)) return { bytes, quality };
    quality = next;
  }
}
