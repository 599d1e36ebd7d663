/** The parts of a scene as pictures of their own: for editors, for channels that want other grounds, for checks. */
import sharp from "sharp";
import type { Cutout } from "../pipeline/compose.ts";
import { type Alpha, type Plane, newRgb } from "../pipeline/raster.ts";
import type { StageLayer } from "../stage-work.ts";
import { encodePng, type EncodedPicture } from "./picture-codec.ts";

async function encodeMask(alpha: Alpha): Promise<EncodedPicture> {
  const { width, height } = alpha;
  const png = await sharp(alpha.data, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 2 })
    .toBuffer();
  return { bytes: new Uint8Array(png), width, height, extension: "png" };
}

/** Black, as opaque as the shadow is dark: laid over a background it dims it just as in the scene (in sRGB, about). */
function encodeShadow(darkness: Plane): Promise<EncodedPicture> {
  const { width, height } = darkness;
  const data = Uint8Array.from(darkness.data, (dark) => Math.round(255 * Math.min(1, dark)));
  return encodePng(newRgb(width, height), { width, height, data });
}

/** `mask`: the product's alpha. `cutout`: the product alone. `shadow`: where there is one. All of the scene's size. */
export async function encodeLayers(alone: Cutout, darkness: Plane | undefined): Promise<StageLayer[]> {
  return [
    { name: "mask", picture: await encodeMask(alone.alpha) },
    { name: "cutout", picture: await encodePng(alone.colour, alone.alpha) },
    ...(darkness ? [{ name: "shadow", picture: await encodeShadow(darkness) }] : []),
  ];
}
