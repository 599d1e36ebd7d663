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

  it("converts Display P3, CMYK, grey and 16 bit to 8-bit sRGB, and says where colours were others", async () => {
    const base = await (await halves()).png().toBuffer();
    const cmyk = (s: Sharp) => s.toColourspace("cmyk").withIccProfile("cmyk");
    const variants = {
      p3: { file: sharp(base).withIccProfile("p3").png(), tolerance: 2, notes: [/from sP3C|Display P3/] },
      cmyk: { file: cmyk(sharp(base)).jpeg({ quality: 98 }), tolerance: 40, notes: [/\(CMYK\) to sRGB/] },
      deep: { file: sharp(base).toColourspace("rgb16").png(), tolerance: 0, notes: [] },
      srgb: { file: sharp(base).withIccProfile("srgb").png(), tolerance: 0, notes: [] },
    };
    for (const [name, { file, tolerance, notes }] of Object.entries(variants)) {
      const photo = await ingest(await file.toBuffer(), LIMITS);
      expect(photo.rgb.data.length, name).toBe(120 * 80 * 3);
      const error = [RED.r, RED.g, RED.b].map((level, c) =>
        Math.abs(level - (photo.rgb.data[(40 * 120 + 20) * 3 + c] ?? 0)),
      );
      expect(Math.max(...error), name).toBeLessThanOrEqual(tolerance);
      expect(photo.notes, name).toEqual(notes.map((note) => expect.stringMatching(note)));
    }
    const grey = await sharp(base).greyscale().png().toBuffer();
    expect((await ingest(grey, LIMITS)).rgb.data.length).toBe(120 * 80 * 3);
  });

  it("goes by the profile of 16-bit files too", async () => {
    const base = await (await halves()).png().toBuffer();
    const file = await sharp(base).toColourspace("rgb16").withIccProfile("p3").png().toBuffer();
    const { depth, icc } = await sharp(file).metadata();
    expect([depth, icc === undefined]).toEqual(["ushort", false]);
    const { rgb } = await ingest(file, LIMITS);
    const error = [RED.r, RED.g, RED.b].map((level, c) => Math.abs(level - (rgb.data[c] ?? 0)));
    expect(Math.max(...error)).toBeLessThanOrEqual(1);
  });

  it("reads CMYK without a profile as offset print, and says so", async () => {
    const inks = { create: { width: 80, height: 80, channels: 3 as const, background: "#c81e14" } };
    const tagged = await sharp(inks).toColourspace("cmyk").tiff().toBuffer();
    const { icc, space } = await sharp(tagged).metadata();
    expect([icc, space]).toEqual([undefined, "cmyk"]);
    const { rgb, notes } = await ingest(tagged, LIMITS);
    expect(isRed(rgb.data, 0)).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/CMYK without a profile/)]);
  });

  it("keeps who made the photo and drops where it was taken", async () => {
    const { rights } = await ingest(
      await (
        await halves()
      )
        .jpeg()
        .withExif({
          IFD0: { Artist: "Ann Example", Copyright: "(C) 2026 Ann Example" },
          IFD3: { GPSLatitudeRef: "N", GPSLatitude: "52/1 22/1 0/1" },
        })
        .toBuffer(),
      LIMITS,
    );
    expect(rights).toEqual({ creator: "Ann Example", copyright: "(C) 2026 Ann Example" });
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

  it("lays a few see-through pixels on white and says so", async () => {
    const hole = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#000" } })
      .png()
      .toBuffer();
    const photo = await sharp({ create: { width: 100, height: 100, channels: 4, background: "#204060" } })
      .composite([{ input: hole, blend: "dest-out", left: 0, top: 0 }])
      .png()
      .toBuffer();
    const { rgb, alpha, notes } = await ingest(photo, LIMITS);
    expect([...rgb.data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(alpha).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(/laid on white/)]);
  });

  it("takes a see-through picture's own matte", async () => {
    const product = await sharp({ create: { width: 40, height: 60, channels: 3, background: RED } })
      .png()
      .toBuffer();
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const cutout = sharp({ create: { width: 100, height: 100, channels: 4, background: clear } });
    for (const format of ["png", "webp", "avif"] as const) {
      const file = await cutout
        .clone()
        .composite([{ input: product, left: 30, top: 20 }])
        .toFormat(format, { lossless: true })
        .toBuffer();
      const { rgb, alpha } = await ingest(file, LIMITS);
      expect([...rgb.data.subarray(0, 3)], format).toEqual([255, 255, 255]);
      expect(isRed(rgb.data, (50 * 100 + 50) * 3), format).toBe(true);
      expect([alpha?.data[0], alpha?.data[50 * 100 + 50]], format).toEqual([0, 255]);
    }
  });

  it("takes an opaque alpha channel for none", async () => {
    const { alpha, notes } = await ingest(await (await halves()).ensureAlpha().png().toBuffer(), LIMITS);
    expect([alpha, notes]).toEqual([undefined, []]);
  });

  it.each(["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)("reads %s", async (format) => {
    const { rgb, source } = await ingest(await (await halves()).toFormat(format).toBuffer(), LIMITS);
    expect([rgb.width, rgb.height, source.format]).toEqual([120, 80, format]);
    expect(isRed(rgb.data, (40 * 120 + 20) * 3)).toBe(true);
    expect(isRed(rgb.data, (40 * 120 + 100) * 3)).toBe(false);
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
      name: "a HEIC photo",
      bytes: async () => Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"),
      says: "Most Compatible",
    },
    { name: "a PDF", bytes: async () => Buffer.from("%PDF-1.7"), says: "pdf files are not taken" },
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
