import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { cutExport, decodeForExport } from "./export.ts";

const CONTENT = { x: 40, y: 40, width: 20, height: 20 };

async function source(channels: 3 | 4) {
  const background = channels === 4 ? { r: 0, g: 0, b: 0, alpha: 0 } : "#336699";
  const product = await sharp({ create: { width: 20, height: 20, channels: 3, background: "#ee2211" } })
    .png()
    .toBuffer();
  const picture = sharp({ create: { width: 100, height: 100, channels, background } });
  const composed = await picture
    .composite([{ input: product, left: 40, top: 40 }])
    .png()
    .toBuffer();
  if (channels === 4) return decodeForExport(composed);
  return decodeForExport(await sharp(composed).removeAlpha().png().toBuffer());
}

const pixel = async (bytes: Uint8Array, x: number, y: number) => [
  ...(await sharp(bytes).extract({ left: x, top: y, width: 1, height: 1 }).raw().toBuffer()),
];

describe("cutExport", () => {
  it("cuts inside the picture: JPEG at full chroma with an sRGB profile", async () => {
    const cut = await cutExport(
      await source(3),
      { x: 20, y: 30, width: 60, height: 45 },
      { placement: "color", content: CONTENT },
    );
    const meta = await sharp(cut.bytes).metadata();
    expect([meta.format, meta.width, meta.height, meta.chromaSubsampling, meta.hasProfile]).toEqual([
      "jpeg",
      60,
      45,
      "4:4:4",
      true,
    ]);
  });

  it("keeps transparency, as PNG, beyond the picture too", async () => {
    const cut = await cutExport(
      await source(4),
      { x: -30, y: 0, width: 130, height: 100 },
      { placement: "transparent", content: CONTENT },
    );
    expect(cut).toMatchObject({ extension: "png", width: 130, height: 100 });
    expect((await pixel(cut.bytes, 5, 5))[3]).toBe(0);
    expect(await pixel(cut.bytes, 80, 50)).toEqual([238, 34, 17, 255]);
  });

  it("continues a flat colour with that colour", async () => {
    const look = { placement: "color" as const, background: "#336699", content: CONTENT };
    const cut = await cutExport(await source(3), { x: 0, y: -80, width: 100, height: 260 }, look);
    const [r = 0, g = 0, b = 0] = await pixel(cut.bytes, 50, 5);
    expect(Math.abs(r - 0x33) + Math.abs(g - 0x66) + Math.abs(b - 0x99)).toBeLessThan(6);
  });

  it.each([
    { name: "mirrors a set where there is room", y: -30 },
    { name: "draws a set out where a mirror would show the product again", y: -90 },
  ])("$name", async ({ y }) => {
    const cut = await cutExport(
      await source(3),
      { x: 0, y, width: 100, height: 100 - y },
      { placement: "studio", content: CONTENT },
    );
    for (let row = 0; row < -y; row += 5) {
      const [red = 255] = await pixel(cut.bytes, 50, row);
      expect(red).toBeLessThan(120);
    }
  });
});
