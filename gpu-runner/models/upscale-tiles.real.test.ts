import sharp from "sharp";
import { expect, it } from "vitest";
import type { Rgb } from "../pipeline/raster.ts";
import { planTiles, readTile, squareTile, type TileShape } from "../pipeline/tiles.ts";
import { photoBytes, testModels } from "../testing.ts";
import { type UpscaleEntry, upscaler } from "./catalogue.ts";
import { isVerified } from "./load.ts";
import { ModelSessions } from "./sessions.ts";

const SIDE = 192;

async function crop(side: number): Promise<Rgb> {
  const { data } = await sharp(await photoBytes("coffee"))
    .extract({ left: 200, top: 90, width: side, height: side })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: side, height: side, data };
}

interface Enlargement extends TileShape {
  readonly model: UpscaleEntry;
  readonly modelsDir: string;
}

/** Levels of 0 to 255 that are not rounded yet, channels interleaved. */
async function enlarge(picture: Rgb, { model, modelsDir, ...shape }: Enlargement): Promise<Float32Array> {
  const sessions = new ModelSessions({ modelsDir, provider: "cpu", intraOpThreads: 2 });
  const { factor } = model.task;
  const side = shape.width * factor;
  const out = new Float32Array(picture.data.length * factor ** 2);
  for (const core of planTiles(picture, shape)) {
    const dims = [1, 3, shape.height, shape.width];
    const data = readTile(picture, core, shape);
    const tile = await sessions.run(model, { data, dims, output: "upscaled" });
    for (let y = 0; y < core.height * factor; y++) {
      for (let i = 0; i < core.width * factor * 3; i++) {
        const [x, c] = [Math.floor(i / 3), i % 3];
        const value = tile[(c * side + y + shape.padding * factor) * side + x + shape.padding * factor] ?? 0;
        const to = ((core.y * factor + y) * picture.width * factor + core.x * factor) * 3 + i;
        out[to] = 255 * Math.min(1, Math.max(0, value));
      }
    }
  }
  return out;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0);
}

it.for([
  { model: upscaler(2, "fast"), side: SIDE },
  { model: upscaler(4, "fast"), side: 96 },
  { model: upscaler(2, "fine"), side: 56 },
])(
  "gives a picture in tiles within 0.05 level of that in one piece: $model.name",
  { timeout: 120_000 },
  async ({ model, side }, { skip }) => {
    const modelsDir = await testModels();
    if (!(await isVerified(modelsDir, model)))
      skip(`${model.name} is not in the cache: \`npm run eval\` fetches it`);
    const { padding } = model.task;
    const picture = await crop(side);
    const whole = await enlarge(picture, { model, modelsDir, ...squareTile(side + 2 * padding, padding) });
    const tiled = await enlarge(picture, { model, modelsDir, ...squareTile(72, padding) });
    expect(largestDifference(whole, tiled)).toBeLessThanOrEqual(0.05);
  },
);

it("shows seams with too little padding, so the test above can fail", async () => {
  const with2 = { model: upscaler(2, "fast"), modelsDir: await testModels() };
  const picture = await crop(SIDE);
  const whole = await enlarge(picture, { ...with2, ...squareTile(SIDE + 32, 16) });
  const tiled = await enlarge(picture, { ...with2, ...squareTile(72, 2) });
  expect(largestDifference(whole, tiled)).toBeGreaterThan(1);
});
