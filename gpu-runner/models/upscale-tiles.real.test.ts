import sharp from "sharp";
import { expect, it } from "vitest";
import { newRgb, type Rgb } from "../pipeline/raster.ts";
import { planTiles, readTile, writeTile } from "../pipeline/tiles.ts";
import { photoBytes, testModels } from "../testing.ts";
import { upscaler } from "./catalogue.ts";
import { ModelSessions } from "./sessions.ts";

const SIDE = 192;

async function crop(side: number): Promise<Rgb> {
  const { data } = await sharp(await photoBytes("coffee"))
    .extract({ left: 200, top: 90, width: side, height: side })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: side, height: side, data };
}

async function enlarge(picture: Rgb, factor: 2 | 4, shape: { tile: number; padding: number }): Promise<Rgb> {
  const sessions = new ModelSessions({ modelsDir: await testModels(), provider: "cpu", intraOpThreads: 2 });
  const out = newRgb(picture.width * factor, picture.height * factor);
  for (const core of planTiles(picture, shape)) {
    const dims = [1, 3, shape.tile, shape.tile];
    const data = readTile(picture, core, shape);
    const tile = await sessions.run(upscaler(factor, "fast"), { data, dims, output: "upscaled" });
    writeTile(out, core, tile, { ...shape, factor });
  }
  return out;
}

function largestDifference(a: Rgb, b: Rgb): number {
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? 0))), 0);
}

it.each([2, 4] as const)("gives the same picture in tiles as in one piece, ×%i", async (factor) => {
  const picture = await crop(SIDE);
  const { padding } = upscaler(factor, "fast").task;
  const whole = await enlarge(picture, factor, { tile: SIDE + 2 * padding, padding });
  const tiled = await enlarge(picture, factor, { tile: 72, padding });
  expect(largestDifference(whole, tiled)).toBe(0);
});

it("shows seams with too little padding, so the test above can fail", async () => {
  const picture = await crop(SIDE);
  const whole = await enlarge(picture, 2, { tile: SIDE + 32, padding: 16 });
  expect(largestDifference(whole, await enlarge(picture, 2, { tile: 72, padding: 2 }))).toBeGreaterThan(1);
});
