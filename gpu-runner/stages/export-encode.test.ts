import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodeExport, encodeWithin, type RawPicture, sameQuality } from "./export-encode.ts";

/** Noise: the heaviest picture there is. */
function noise(width: number, height: number, channels: 3 | 4 = 3): RawPicture {
  let state = 1;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state >> 16;
  });
  return { data, width, height, channels };
}

const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>';
const NO_LIMITS = { min: 0, max: Number.POSITIVE_INFINITY };

describe("an export's file", () => {
  it.each(["jpeg", "png", "webp", "avif"] as const)(
    "carries profile and XMP as %s, twice the same",
    async (format) => {
      const picture = noise(64, 48);
      const settings = { format, quality: 80, xmp };
      const bytes = await encodeExport(picture, settings);
      const header = await sharp(bytes).metadata();
      expect(header).toMatchObject({ width: 64, height: 48, hasProfile: true });
      expect(header.xmp?.toString()).toContain("xmpmeta");
      expect(Buffer.compare(bytes, await encodeExport(picture, settings))).toBe(0);
    },
  );

  it("has JPEG's chroma in full", async () => {
    const bytes = await encodeExport(noise(64, 48), { format: "jpeg", quality: 80, xmp });
    expect((await sharp(bytes).metadata()).chromaSubsampling).toBe("4:4:4");
  });

  it.each(["png", "webp", "avif"] as const)("keeps alpha as %s", async (format) => {
    const bytes = await encodeExport(noise(64, 48, 4), { format, quality: 80, xmp });
    expect((await sharp(bytes).metadata()).hasAlpha).toBe(true);
  });

  it("is grey for a mask", async () => {
    const mask: RawPicture = { data: new Uint8Array(64).fill(7), width: 8, height: 8, channels: 1 };
    const bytes = await encodeExport(mask, { format: "png", quality: 90, xmp });
    expect(await sharp(bytes).metadata()).toMatchObject({ channels: 1, space: "b-w" });
  });
});

describe("a file's weight", () => {
  it("lowers the quality in steps until it fits", async () => {
    const picture = noise(200, 200);
    const at = async (quality: number) =>
      (await encodeExport(picture, { format: "jpeg", quality, xmp })).length;
    const made = await encodeWithin(
      picture,
      { format: "jpeg", quality: 90, xmp },
      { min: 0, max: await at(75) },
    );
    expect(made.quality).toBe(75);
    expect(made.bytes.length).toBe(await at(75));
  });

  it("raises the quality where a file may be too light", async () => {
    const picture = noise(60, 60);
    const { length } = await encodeExport(picture, { format: "jpeg", quality: 95, xmp });
    const made = await encodeWithin(
      picture,
      { format: "jpeg", quality: 85, xmp },
      { ...NO_LIMITS, min: length },
    );
    expect(made.quality).toBe(95);
  });

  it("ends where nothing fits", async () => {
    const made = await encodeWithin(noise(60, 60), { format: "jpeg", quality: 90, xmp }, { min: 0, max: 10 });
    expect(made.quality).toBe(50);
    const between = { min: 5000, max: 5001 };
    await expect(
      encodeWithin(noise(60, 60), { format: "jpeg", quality: 70, xmp }, between),
    ).resolves.toBeDefined();
  });
});

it.each([
  { format: "webp" as const, quality: 90, same: 94 },
  { format: "avif" as const, quality: 90, same: 83 },
  { format: "avif" as const, quality: 100, same: 100 },
  { format: "webp" as const, quality: 1, same: 41 },
])("gives $format at $quality the look of JPEG", ({ format, quality, same }) => {
  expect(sameQuality(format, quality)).toBe(same);
});
