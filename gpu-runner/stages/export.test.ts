import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { cutScene, decodeForExport, decodeLayer, laidOn, resizePicture } from "./export.ts";
import type { RawPicture } from "./export-encode.ts";

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

const pixel = ({ data, width, channels }: RawPicture, x: number, y: number) => [
  ...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels),
];

describe("cutScene", () => {
  it("cuts inside the picture, pixel by pixel", async () => {
    const cut = { x: 20, y: 30, width: 60, height: 45 };
    const picture = await cutScene(await source(3), cut, { placement: "color", content: CONTENT });
    expect([picture.width, picture.height, picture.channels]).toEqual([60, 45, 3]);
    expect(pixel(picture, 20, 10)).toEqual([238, 34, 17]);
    expect(pixel(picture, 19, 10)).toEqual([0x33, 0x66, 0x99]);
  });

  it("keeps transparency, beyond the picture too", async () => {
    const cut = { x: -30, y: 0, width: 130, height: 100 };
    const picture = await cutScene(await source(4), cut, { placement: "transparent", content: CONTENT });
    expect(pixel(picture, 5, 5)[3]).toBe(0);
    expect(pixel(picture, 80, 50)).toEqual([238, 34, 17, 255]);
    expect(pixel(await laidOn(picture, "#ffffff"), 5, 5)).toEqual([255, 255, 255]);
  });

  it("continues a flat colour with that colour", async () => {
    const look = { placement: "color" as const, background: "#336699", content: CONTENT };
    const picture = await cutScene(await source(3), { x: 0, y: -80, width: 100, height: 260 }, look);
    expect(pixel(picture, 50, 5)).toEqual([0x33, 0x66, 0x99]);
  });

  it.each([
    { name: "mirrors a set where there is room", y: -30 },
    { name: "draws a set out where a mirror would show the product again", y: -90 },
  ])("$name", async ({ y }) => {
    const cut = { x: 0, y, width: 100, height: 100 - y };
    const picture = await cutScene(await source(3), cut, { placement: "studio", content: CONTENT });
    for (let row = 0; row < -y; row += 5) expect(pixel(picture, 50, row)[0]).toBeLessThan(120);
  });
});

it("does not let a see-through background bleed into the product's edge", async () => {
  const half = await resizePicture(await source(4), { width: 45, height: 45 });
  for (let i = 0; i < half.data.length; i += 4) {
    if ((half.data[i + 3] ?? 0) > 128) expect(half.data[i]).toBeGreaterThan(225);
  }
});

it("decodes a grey layer as grey", async () => {
  const mask = await sharp({ create: { width: 9, height: 9, channels: 3, background: "#808080" } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
  expect(await decodeLayer(mask)).toMatchObject({ width: 9, height: 9, channels: 1 });
});
