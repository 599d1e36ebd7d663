/**
 * The synthetic product photos with their exact mattes, rendered by Blender into the cache folder picture by
 * picture, under a key of all that goes into them. What is there stays; what was cut off is rendered again.
 *
 *   ensureSyntheticSet   the first `count` pictures, rendered where they are missing
 *   readPicture          one of them with its truth
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import * as z from "zod";
import type { Alpha, Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { decodePicture, encodePng } from "../../../gpu-runner/stages/picture-codec.ts";
import { withLock } from "../../cache/lock.ts";
import { findHoles } from "../metrics/holes.ts";
import { type Developed, develop, type RenderedLayer } from "./develop.ts";

export const WHOLE_SET = 200;
export const USUAL_RENDER_TIME = "9 s a picture on two quiet cores, once";

const Rendered = z.object({
  number: z.int(),
  kind: z.string(),
  background: z.string(),
  width: z.int(),
  height: z.int(),
  plateWidth: z.int(),
  plateHeight: z.int(),
  /** Share of the frame's side that the product's box fills. */
  fill: z.number(),
  touchesFrame: z.boolean(),
  products: z.int(),
  outOfFocus: z.boolean(),
});

const Description = Rendered.extend({
  holes: z.int(),
  /** Of the picture. */
  holesAreaShare: z.number(),
});
export type Description = z.infer<typeof Description>;

export interface SyntheticPicture {
  readonly about: Description;
  /** The JPEG as a shop would send it. */
  readonly photo: Buffer;
  readonly alpha: Alpha;
  readonly colour: Rgb;
}

export interface SyntheticSet {
  readonly dir: string;
  readonly numbers: readonly number[];
}

const SCRIPTS = ["render.py", "products.py", "shapes.py", "materials.py", "surroundings.py", "develop.ts"];
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function setKey(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of SCRIPTS) hash.update(await readFile(here(name)));
  return hash.digest("hex").slice(0, 16);
}

export interface SetOptions {
  readonly cache: string;
  /** 1..WHOLE_SET: the first so many; kinds of product go round, so that any count is spread evenly. */
  readonly count: number;
  readonly onProgress: (text: string) => void;
}

/** @throws {Error} when pictures are missing and Blender is not there, or with Blender's words */
export async function ensureSyntheticSet({ cache, count, onProgress }: SetOptions): Promise<SyntheticSet> {
  const dir = join(cache, "eval", `synthetic-${await setKey()}`);
  await mkdir(dir, { recursive: true });
  const numbers = Array.from({ length: count }, (_, number) => number);
  if ((await missing(dir, numbers)).length > 0) {
    await withLock(
      join(cache, "eval", "render.lock"),
      async () => {
        for (const number of await missing(dir, numbers)) await developIfRendered(dir, number);
        const left = await missing(dir, numbers);
        if (left.length > 0) await renderAll(dir, left, onProgress);
      },
      { onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is rendering`) },
    );
  }
  return { dir, numbers };
}

async function missing(dir: string, numbers: readonly number[]): Promise<number[]> {
  const there = new Set(await readdir(dir));
  return numbers.filter((number) => !there.has(`${number}.json`));
}

async function renderAll(
  dir: string,
  numbers: readonly number[],
  onProgress: (text: string) => void,
): Promise<void> {
  onProgress(`0 of ${numbers.length}`);
  const args = [
    "--background",
    "--factory-startup",
    "--python-exit-code",
    "1",
    "--python",
    here("render.py"),
  ];
  const blender = spawn("blender", [...args, "--", dir, ...numbers.map(String)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  blender.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    blender.once("error", reject);
    blender.once("close", resolve);
  });
  ended.catch(() => undefined);
  let done = 0;
  for await (const line of createInterface({ input: blender.stdout })) {
    const number = /^PICTURE (\d+)$/.exec(line)?.[1];
    if (number === undefined) continue;
    await developIfRendered(dir, Number(number));
    onProgress(`${++done} of ${numbers.length}`);
  }
  const code = await ended.catch((cause: unknown) => {
    throw new Error("Blender is needed to render the pictures: install Blender 3.4 or later (`blender`)", {
      cause,
    });
  });
  if (code !== 0) throw new Error(`Blender ended with ${code}: ${said.join("").slice(-2000)}`);
}

async function readLayer(path: string, width: number, height: number): Promise<RenderedLayer> {
  const bytes = await readFile(path);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  if (data.length !== width * height * 4) throw new Error(`${path} is not ${width}×${height} pixels`);
  return { width, height, data };
}

/** Makes a picture's files from its layers, if they are there; its description comes last. */
async function developIfRendered(dir: string, number: number): Promise<void> {
  const path = (suffix: string) => join(dir, `${number}.${suffix}`);
  const json = await readFile(path("rendered.json"), "utf8").catch(() => undefined);
  if (json === undefined) return;
  const about = Rendered.parse(JSON.parse(json));
  const product = await readLayer(path("product.f32"), about.width, about.height);
  const plate = await readLayer(path("plate.f32"), about.plateWidth, about.plateHeight);
  const developed = develop(product, plate, about.kind);
  await writePicture(path, about, developed);
  for (const suffix of ["rendered.json", "product.f32", "plate.f32"]) await rm(path(suffix));
}

const asSharp = ({ data, width, height }: Rgb) => sharp(data, { raw: { width, height, channels: 3 } });

async function writePicture(
  path: (suffix: string) => string,
  about: z.infer<typeof Rendered>,
  { photo, alpha, colour, plate }: Developed,
): Promise<void> {
  await asSharp(photo).jpeg({ quality: 93 }).toFile(path("photo.jpg"));
  await asSharp(plate).jpeg({ quality: 90 }).toFile(path("plate.jpg"));
  await writeFile(path("truth.png"), (await encodePng(colour, alpha)).bytes);
  const holes = findHoles(alpha);
  const pixels = holes.reduce((sum, hole) => sum + hole.pixels.length, 0);
  const described: Description = {
    ...about,
    holes: holes.length,
    holesAreaShare: pixels / (about.width * about.height),
  };
  await writeFile(path("part"), `${JSON.stringify(described)}\n`);
  await rename(path("part"), path("json"));
}

/** A picture of the set, as it was rendered. */
export async function readPicture({ dir }: SyntheticSet, number: number): Promise<SyntheticPicture> {
  const path = (suffix: string) => join(dir, `${number}.${suffix}`);
  const about = Description.parse(JSON.parse(await readFile(path("json"), "utf8")));
  const { rgb, alpha } = await decodePicture(await readFile(path("truth.png")));
  if (!alpha) throw new Error(`${path("truth.png")} has no alpha`);
  return { about, photo: await readFile(path("photo.jpg")), alpha, colour: rgb };
}
