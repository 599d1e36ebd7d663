/**
 * The contact sheet of the studio sets: one product in each, in rows of four, as `gpu-runner/README.md` shows them.
 * The product is the rendered bottle with its exact matte, so that the sheet needs no model and nobody's rights.
 *
 * Usage: node hack/set-sheet.ts [--out gpu-runner/sets.jpg] [--scenes DIR]
 * `--scenes` writes each scene as a PNG of full size too, for those who want to look closely.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { Brand, SET_NAMES, type SetName } from "../crds/brand.ts";
import { place } from "../gpu-runner/stages/place.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const TILE = { width: 440, height: 330 };
const COLUMNS = 4;
const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048, maxScenePixels: 1.6e6 };

async function cutBottle(): Promise<{ photo: Buffer; cutout: Buffer }> {
  const photo = await readFile(here("photos/photos/bottle.jpg"));
  const matte = sharp(here("photos/bottle-matte.png")).toColourspace("b-w").raw();
  const { data, info } = await matte.toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: 1 } as const;
  return { photo, cutout: await sharp(photo).joinChannel(data, { raw }).png().toBuffer() };
}

async function sheetOf(scenes: readonly Uint8Array[]): Promise<Buffer> {
  const tiles = scenes.map(async (scene, i) => ({
    input: await sharp(scene)
      .resize({ ...TILE, fit: "cover" })
      .png()
      .toBuffer(),
    left: (i % COLUMNS) * TILE.width,
    top: Math.floor(i / COLUMNS) * TILE.height,
  }));
  const width = COLUMNS * TILE.width;
  const height = Math.ceil(scenes.length / COLUMNS) * TILE.height;
  return sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite(await Promise.all(tiles))
    .jpeg({ quality: 84, mozjpeg: true })
    .toBuffer();
}

async function main(out: string, scenesDir: string | undefined): Promise<void> {
  const bottle = await cutBottle();
  const render = async (style: SetName) => {
    const brand = Brand.parse({ style, seed: 7, exports: ["4:3"] });
    const { bytes } = (await place({ ...bottle, brand }, LIMITS)).picture;
    if (scenesDir !== undefined) await writeFile(join(scenesDir, `${style}.png`), bytes);
    return bytes;
  };
  if (scenesDir !== undefined) await mkdir(scenesDir, { recursive: true });
  const scenes: Uint8Array[] = [];
  for (const style of SET_NAMES) scenes.push(await render(style));
  const sheet = await sheetOf(scenes);
  await writeFile(out, sheet);
  console.log(`${out}: ${SET_NAMES.join(", ")}; ${Math.round(sheet.length / 1024)} KiB`);
}

const { values } = parseArgs({ options: { out: { type: "string" }, scenes: { type: "string" } } });
await main(values.out ?? here("../gpu-runner/sets.jpg"), values.scenes);
