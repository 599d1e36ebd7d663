/** An export's file as a channel would see it: read back from its bytes, nothing remembered of its making. */
import sharp from "sharp";
import type { Size } from "../pipeline/layout.ts";
import { namesPlace } from "../provenance/exif.ts";
import { SOURCE_TYPE } from "../provenance/xmp-namespaces.ts";
import { readProperty } from "../provenance/xmp-read.ts";
import { profileName } from "../stages/ingest-colour.ts";
import type { FileFormat } from "./profiles.ts";

export interface WrittenFile extends Size {
  readonly format: FileFormat | "unknown";
  readonly bytes: number;
  readonly hasAlpha: boolean;
  /** What the embedded profile calls itself. */
  readonly profile: string | undefined;
  readonly sourceType: string | undefined;
  readonly namesPlace: boolean;
  /** What its content credentials are worth; absent where nobody has looked. */
  readonly credentials?: string;
  /** Decoded RGB, 3 bytes a pixel, alpha laid on white. */
  readonly rgb: Uint8Array;
}

const FORMATS: Readonly<Record<string, FileFormat>> = {
  jpeg: "jpeg",
  png: "png",
  webp: "webp",
  heif: "avif",
};

/** @throws {Error} when the bytes are not a picture. */
export async function readWrittenFile(bytes: Uint8Array): Promise<WrittenFile> {
  const header = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { data, info } = await sharp(bytes, { limitInputPixels: false })
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    format: FORMATS[header.format] ?? "unknown",
    width: info.width,
    height: info.height,
    bytes: bytes.length,
    hasAlpha: header.hasAlpha,
    profile: header.icc && profileName(header.icc),
    sourceType: readProperty(header.xmp?.toString("utf8") ?? "", SOURCE_TYPE),
    namesPlace: namesPlace(header.exif),
    rgb: data,
  };
}
