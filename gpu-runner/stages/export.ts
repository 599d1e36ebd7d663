import type { Box } from "#crds/runner-report.ts";
import type { PLACEMENTS } from "#crds/opaljob.ts";
import sharp, { type ExtendWith, type Sharp } from "sharp";
import type { Cut } from "../pipeline/crop.ts";
import type { Size } from "../pipeline/layout.ts";
import type { EncodedPicture } from "./picture-codec.ts";

/** A decoded picture that several exports are cut from. */
export interface ExportSource extends Size {
  readonly data: Uint8Array;
  readonly channels: 3 | 4;
}

export interface ExportLook {
  readonly placement: (typeof PLACEMENTS)[number];
  /** "#rrggbb" of a flat background. */
  readonly background?: string;
  /** Product and shadow, in pixels of the source. */
  readonly content: Box;
}

const JPEG = { quality: 90, chromaSubsampling: "4:4:4", mozjpeg: false } as const;
const PNG = { compressionLevel: 8, adaptiveFiltering: true } as const;

/** @throws {Error} when the bytes are not a picture. */
export async function decodeForExport(bytes: Uint8Array): Promise<ExportSource> {
  const { data, info } = await sharp(bytes, { limitInputPixels: false })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3 };
}

/** How far a cut reaches beyond the picture on each side, in pixels. */
function overhang(cut: Cut, picture: Size) {
  return {
    left: Math.max(0, -cut.x),
    top: Math.max(0, -cut.y),
    right: Math.max(0, cut.x + cut.width - picture.width),
    bottom: Math.max(0, cut.y + cut.height - picture.height),
  };
}

type Overhang = ReturnType<typeof overhang>;

/** The background is mirrored where the mirror shows no product; else its last pixels are drawn out. */
function continuation(over: Overhang, content: Box, picture: Size): ExtendWith {
  const free = {
    left: content.x,
    top: content.y,
    right: picture.width - content.x - content.width,
    bottom: picture.height - content.y - content.height,
  };
  const sides = ["left", "top", "right", "bottom"] as const;
  return sides.every((side) => over[side] < free[side]) ? "mirror" : "copy";
}

function extended(picture: Sharp, over: Overhang, source: Size, look: ExportLook): Sharp {
  if (look.placement === "transparent")
    return picture.extend({ ...over, background: { r: 0, g: 0, b: 0, alpha: 0 } });
  if (look.placement === "color")
    return picture.extend({ ...over, background: look.background ?? "#ffffff" });
  return picture.extend({ ...over, extendWith: continuation(over, look.content, source) });
}

/**
 * Cuts one export and encodes it: PNG where the background is transparent, else JPEG without chroma
 * subsampling, with an sRGB profile. The background is continued where the cut reaches beyond the picture.
 */
export async function cutExport(source: ExportSource, cut: Cut, look: ExportLook): Promise<EncodedPicture> {
  const over = overhang(cut, source);
  const { data, width, height, channels } = source;
  let picture = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  if (Object.values(over).some((pixels) => pixels > 0)) {
    const large = await extended(picture, over, source, look).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: large.info.width, height: large.info.height, channels: large.info.channels };
    picture = sharp(large.data, { raw, limitInputPixels: false });
  }
  picture = picture
    .extract({ left: cut.x + over.left, top: cut.y + over.top, width: cut.width, height: cut.height })
    .withIccProfile("srgb");
  const isTransparent = channels === 4;
  const bytes = await (isTransparent ? picture.png(PNG) : picture.jpeg(JPEG)).toBuffer();
  return {
    bytes: new Uint8Array(bytes),
    width: cut.width,
    height: cut.height,
    extension: isTransparent ? "png" : "jpg",
  };
}
