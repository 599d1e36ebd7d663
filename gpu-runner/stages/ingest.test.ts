import { deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { ingest } from "./ingest.ts";

const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048 };
const RED = { r: 200, g: 30, b: 20 };

/** Left half red, right half blue: shows how a picture was turned. */
async function halves(width = 120, height = 80) {
  const blue = await sharp({ create: { width: width / 2, height, channels: 3, background: "#1020c8" } })
    .png()
    .toBuffer();
  return sharp({ create: { width, height, channels: 3, background: RED } }).composite([
    { input: blue, left: width / 2, top: 0 },
  ]);
}

const isRed = (data: Uint8Array, i: number) => (data[i] ?? 0) > 150 && (data[i + 2] ?? 0) < 80;

describe("ingest", () => {
  it("turns all eight orientations upright", async () => {
    const upright = await sharp(await (await halves()).png().toBuffer())
      .removeAlpha()
      .raw()
      .toBuffer();
    for (let orientation = 1; orientation <= 8; orientation++) {
      // What a camera stores is the upright picture turned the other way.
      const undo: Record<number, (s: Sharp) => Sharp> = {
        1: (s) => s,
        2: (s) => s.flop(),
        3: (s) => s.rotate(180),
        4: (s) => s.flip(),
        5: (s) => s.flop().rotate(270),
        6: (s) => s.rotate(270),
        7: (s) => s.flop().rotate(90),
        8: (s) => s.rotate(90),
      };
      const raw = sharp(upright, { raw: { width: 120, height: 80, channels: 3 } });
      const turned = await (undo[orientation] as (s: Sharp) => Sharp)(raw).png().toBuffer();
      const stored = await sharp(turned).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
      const { rgb, source } = await ingest(stored, LIMITS);
      expect([rgb.width, rgb.height, source.width, source.height]).toEqual([120, 80, 120, 80]);
      expect(isRed(rgb.data, (40 * 120 + 20) * 3), `orientation ${orientation}`).toBe(true);
      expect(isRed(rgb.data, (40 * 120 + 100) * 3)).toBe(false);
    }
  });

  it("converts Display P3, CMYK, grey and 16 bit to 8-bit sRGB", async () => {
    const base = await (await halves()).png().toBuffer();
    const variants = {
      p3: await sharp(base).withIccProfile("p3").png().toBuffer(),
      cmyk: await sharp(base).toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 98 }).toBuffer(),
      deep: await sharp(base).toColourspace("rgb16").png().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(variants)) {
      const { rgb } = await ingest(bytes, LIMITS);
      expect(rgb.data.length, name).toBe(120 * 80 * 3);
      const error = [RED.r, RED.g, RED.b].map((level, c) =>
        Math.abs(level - (rgb.data[(40 * 120 + 20) * 3 + c] ?? 0)),
      );
      expect(Math.max(...error), name).toBeLessThan(name === "cmyk" ? 40 : 3);
    }
    const grey = await sharp(base).greyscale().png().toBuffer();
    expect((await ingest(grey, LIMITS)).rgb.data.length).toBe(120 * 80 * 3);
  });

  it("takes the first picture of an animation and says so", async () => {
    const frame = (background: string) => ({
      create: { width: 80, height: 80, channels: 3 as const, background },
    });
    const frames = await Promise.all(["#c81e14", "#1020c8"].map((c) => sharp(frame(c)).png().toBuffer()));
    const animated = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const { rgb, notes } = await ingest(animated, LIMITS);
    expect([rgb.width, rgb.height]).toEqual([80, 80]);
    expect(isRed(rgb.data, 0)).toBe(true);
    expect(notes).toEqual(["the file holds 2 pictures: the first was taken"]);
  });

  it("lays transparency on white and says so", async () => {
    const glass = sharp({
      create: { width: 70, height: 70, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    });
    const { rgb, notes } = await ingest(await glass.png().toBuffer(), LIMITS);
    expect([...rgb.data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(notes).toHaveLength(1);
  });

  it("scales large photos down to the working size", async () => {
    const { rgb, source } = await ingest(await (await halves(600, 300)).png().toBuffer(), {
      ...LIMITS,
      workingPixels: 256,
    });
    expect([rgb.width, rgb.height, source.width]).toEqual([256, 128, 600]);
  });
});

/** A PNG that claims a size which it does not hold. */
function pngHeader(width: number, height: number): Buffer {
  const crcOf = (bytes: Buffer) => {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(content.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crcOf(body), 4 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.alloc(100))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("ingest refuses", () => {
  it.each([
    { name: "an empty file", bytes: async () => Buffer.alloc(0), says: "empty" },
    { name: "a text file", bytes: async () => Buffer.from("hello"), says: "not a picture" },
    {
      name: "an SVG",
      bytes: async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
      says: "svg files are not taken",
    },
    {
      name: "a picture of one pixel",
      bytes: async () => pngHeader(1, 1),
      says: "1×1 pixels: each side must have at least 64",
    },
    {
      name: "30,000 × 30,000 pixels",
      bytes: async () => pngHeader(30_000, 30_000),
      says: "30000×30000 pixels: at most 100 megapixels",
    },
    {
      name: "a JPEG that is cut off",
      bytes: async () => {
        const whole = await (await halves(900, 600)).jpeg().toBuffer();
        return whole.subarray(0, whole.length / 2);
      },
      says: "damaged or cut off",
    },
    { name: "a PNG without its pixels", bytes: async () => pngHeader(500, 500), says: "damaged or cut off" },
  ])("$name, with a sentence for its owner", async ({ bytes, says }) => {
    const refusal = ingest(await bytes(), LIMITS);
    await expect(refusal).rejects.toMatchObject({ class: "bad-input" });
    await expect(refusal).rejects.toThrow(says);
  });
});
