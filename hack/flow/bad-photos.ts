/** Uploads that a shop may well make and that no picture can come of, or only just. All small. */
import { deflateSync, crc32 } from "node:zlib";
import sharp from "sharp";

const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);

export const textFile = (): Uint8Array<ArrayBuffer> =>
  bytes(Buffer.from("Dear shop, here is my photo.\n".repeat(40)));

/** The first third of a good JPEG. */
export async function truncatedJpeg(): Promise<Uint8Array<ArrayBuffer>> {
  const whole = await sharp({
    create: {
      width: 800,
      height: 600,
      channels: 3,
      background: "#804020",
      noise: { type: "gaussian", mean: 128, sigma: 40 },
    },
  })
    .jpeg()
    .toBuffer();
  return bytes(whole.subarray(0, Math.floor(whole.length / 3)));
}

export async function onePixel(): Promise<Uint8Array<ArrayBuffer>> {
  return bytes(
    await sharp({ create: { width: 1, height: 1, channels: 3, background: "#ff0000" } })
      .png()
      .toBuffer(),
  );
}

/** An even wall: nothing on it that could be a product. */
export async function blankWall(): Promise<Uint8Array<ArrayBuffer>> {
  return bytes(
    await sharp({ create: { width: 900, height: 700, channels: 3, background: "#d8d4cc" } })
      .jpeg()
      .toBuffer(),
  );
}

/** A PNG of a few bytes whose header claims 30,000 × 30,000 pixels. */
export function hugePngHeader(): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(30_000, 0);
  header.writeUInt32BE(30_000, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes(
    Buffer.concat([
      signature,
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(Buffer.alloc(1000))),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** Two frames of the photo, the second one turned. */
export async function animatedGif(photo: string): Promise<Uint8Array<ArrayBuffer>> {
  const frames = await Promise.all(
    [0, 180].map((angle) => sharp(photo).rotate(angle).resize(480, 320).removeAlpha().raw().toBuffer()),
  );
  const stacked = sharp(Buffer.concat(frames), {
    raw: { width: 480, height: 640, channels: 3, pageHeight: 320 },
  });
  return bytes(await stacked.gif({ delay: [200, 200], loop: 0 }).toBuffer());
}
