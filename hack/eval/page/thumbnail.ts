/** Small pictures for the page. */
import sharp from "sharp";

const SIDE = 420;
const SQUARE = 12;
const FIT = { fit: "inside", withoutEnlargement: true } as const;

export async function thumbnail(bytes: Uint8Array): Promise<Uint8Array> {
  return sharp(bytes)
    .autoOrient()
    .resize(SIDE, SIDE, FIT)
    .flatten({ background: "#ffffff" })
    .jpeg({ quality: 82 })
    .toBuffer();
}

async function laidOn(
  png: Uint8Array,
  background: (width: number, height: number) => Buffer,
): Promise<Uint8Array> {
  const { data, info } = await sharp(png).resize(SIDE, SIDE, FIT).png().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: 3 as const };
  return sharp(background(info.width, info.height), { raw })
    .composite([{ input: data }])
    .jpeg({ quality: 82, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

/** On grey squares: soft edges and leftovers show. */
export function onCheckerboard(png: Uint8Array): Promise<Uint8Array> {
  return laidOn(png, (width, height) => {
    const pixels = Buffer.alloc(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const odd = (Math.floor((i % width) / SQUARE) + Math.floor(i / width / SQUARE)) % 2;
      pixels.fill(odd === 1 ? 205 : 245, i * 3, i * 3 + 3);
    }
    return pixels;
  });
}

/** On a magenta that no product has: filled holes and rims of the old background show. */
export function onColour(png: Uint8Array): Promise<Uint8Array> {
  return laidOn(png, (width, height) => {
    const pixels = Buffer.alloc(width * height * 3);
    for (let i = 0; i < pixels.length; i += 3) pixels.set([200, 40, 160], i);
    return pixels;
  });
}
