/** Cuts of the finished scene, from decoded pixels to decoded pixels. */
import type { Box } from "#crds/runner-report.ts";
import type { PLACEMENTS } from "#crds/brand.ts";
import sharp, { type ExtendWith, type Sharp } from "sharp";
import type { Cut } from "../pipeline/crop.ts";
import type { Size } from "../pipeline/layout.ts";
import type { RawPicture } from "./export-encode.ts";

/** A decoded picture that several exports are cut from. */
export interface ExportSource extends RawPicture {
  readonly channels: 3 | 4;
}

export interface ExportLook {
  readonly placement: (typeof PLACEMENTS)[number];
  /** "#rrggbb" of a flat background. */
  readonly background?: string;
  /** Product and shadow, in pixels of the source. */
  readonly content: Box;
}

/** @throws {Error} when the bytes are not a picture. */
export async function decodeForExport(bytes: Uint8Array): Promise<ExportSource> {
  const { data, info } = await sharp(bytes, { limitInputPixels: false })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3 };
}

/** A layer of the scene: grey stays grey. @throws {Error} when the bytes are not a picture. */
export async function decodeLayer(bytes: Uint8Array): Promise<RawPicture> {
  const picture = sharp(bytes, { limitInputPixels: false });
  const { channels } = await picture.metadata();
  return develop(channels <= 2 ? picture.removeAlpha().toColourspace("b-w") : picture.toColourspace("srgb"));
}

const asSharp = ({ data, width, height, channels }: RawPicture): Sharp =>
  sharp(data, { raw: { width, height, channels }, limitInputPixels: false });

async function develop(picture: Sharp): Promise<RawPicture> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const channels = info.channels === 4 ? 4 : info.channels === 1 ? 1 : 3;
  return { data, width: info.width, height: info.height, channels };
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

/** The cut at its own size. The background is continued where the cut reaches beyond the picture. */
export async function cutScene(source: ExportSource, cut: Cut, look: ExportLook): Promise<RawPicture> {
  const over = overhang(cut, source);
  const reachesBeyond = Object.values(over).some((pixels) => pixels > 0);
  const whole = reachesBeyond ? await develop(extended(asSharp(source), over, source, look)) : source;
  const area = { left: cut.x + over.left, top: cut.y + over.top, width: cut.width, height: cut.height };
  return develop(asSharp(whole).extract(area));
}

/** Lanczos-3 to an exact size; see-through colours do not bleed into the product's edge. */
export async function resizePicture(picture: RawPicture, { width, height }: Size): Promise<RawPicture> {
  if (picture.width === width && picture.height === height) return picture;
  const resized = asSharp(picture).resize(width, height, { fit: "fill", kernel: "lanczos3" });
  return develop(picture.channels === 1 ? resized.toColourspace("b-w") : resized);
}

/** Lays what is see-through on a colour ("#rrggbb"): for formats that carry no alpha. */
export async function laidOn(picture: RawPicture, colour: string): Promise<RawPicture> {
  return picture.channels === 4 ? develop(asSharp(picture).flatten({ background: colour })) : picture;
}
