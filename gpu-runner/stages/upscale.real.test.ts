import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { upscaler } from "../models/catalogue.ts";
import { ModelSessions } from "../models/sessions.ts";
import type { Rgb } from "../pipeline/raster.ts";
import { photoBytes, testModels } from "../testing.ts";
import { decodePicture, encodePng, resizeRgb } from "./picture-codec.ts";
import { upscale, upscaleTo } from "./upscale.ts";

const SIDE = 192;
const BORDER = 8;

const sessions = new ModelSessions({ modelsDir: await testModels(), provider: "cpu", intraOpThreads: 2 });

async function crop(name: "coffee" | "dahlia"): Promise<Rgb> {
  const photo = sharp(await photoBytes(name)).extract({ left: 200, top: 90, width: SIDE, height: SIDE });
  return { width: SIDE, height: SIDE, data: await photo.raw().toBuffer() };
}

/** By the kernel of the field's benchmarks. */
async function shrunk({ width, height, data }: Rgb, side: number): Promise<Rgb> {
  const small = sharp(data, { raw: { width, height, channels: 3 } }).resize(side, side, { kernel: "cubic" });
  return { width: side, height: side, data: await small.raw().toBuffer() };
}

const brightness = (p: Rgb, i: number) =>
  0.299 * (p.data[i] ?? 0) + 0.587 * (p.data[i + 1] ?? 0) + 0.114 * (p.data[i + 2] ?? 0);

function brightnessPsnr(a: Rgb, b: Rgb): number {
  let sum = 0;
  let count = 0;
  for (let y = BORDER; y < a.height - BORDER; y++) {
    for (let x = BORDER; x < a.width - BORDER; x++, count++) {
      const i = (y * a.width + x) * 3;
      sum += (brightness(a, i) - brightness(b, i)) ** 2;
    }
  }
  return 10 * Math.log10(255 ** 2 / (sum / count));
}

async function enlarged(picture: Rgb, factor: 2 | 4): Promise<Rgb> {
  const { bytes } = await encodePng(picture);
  const done = await upscale({ picture: bytes }, upscaler(factor, "fast"), sessions);
  expect(done.facts.factor).toBe(factor);
  return (await decodePicture(done.picture.bytes)).rgb;
}

describe.each(["coffee", "dahlia"] as const)("a %s", (name) => {
  it.each([
    [2, 1],
    [4, 0.7],
  ] as const)(
    "is restored from 1/%i of its size %d dB better than by interpolation",
    async (factor, gain) => {
      const original = await crop(name);
      const small = await shrunk(original, SIDE / factor);
      const interpolated = brightnessPsnr(await resizeRgb(small, original), original);
      expect(brightnessPsnr(await enlarged(small, factor), original) - interpolated).toBeGreaterThan(gain);
    },
  );

  it.each([2, 4] as const)("is its source again when it is shrunk from ×%i", async (factor) => {
    const original = await crop(name);
    const large = await enlarged(original, factor);
    expect(brightnessPsnr(await shrunk(large, SIDE), original)).toBeGreaterThan(45);
  });
});

it("makes no pixel that no export uses", async () => {
  const { bytes } = await encodePng(await crop("coffee"));
  const sized = await upscaleTo({ picture: bytes, factor: 4, longestSide: 300 }, "fast", sessions);
  expect(sized.picture).toMatchObject({ width: 300, height: 300 });
  expect(sized.facts).toMatchObject({ factor: 300 / SIDE, model: { name: "esrgan-slim-x2" } });
  const kept = await upscaleTo({ picture: bytes, factor: 4, longestSide: 100 }, "fast", sessions);
  const sized4 = await upscaleTo({ picture: bytes, factor: 4, longestSide: 500 }, "fast", sessions);
  expect(sized4.picture).toMatchObject({ width: 500, height: 500 });
  expect(sized4.facts).toMatchObject({ factor: 500 / SIDE, model: { name: "edsr-photo-x4" } });
  expect(kept.picture).toEqual({ bytes, width: SIDE, height: SIDE, extension: "png" });
  expect(kept.facts).toMatchObject({ factor: 1, productTreatment: "unchanged" });
});
