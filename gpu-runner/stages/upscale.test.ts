import { describe, expect, it } from "vitest";
import { upscaler } from "../models/catalogue.ts";
import { type ModelInput, ModelSessions } from "../models/sessions.ts";
import { newRgb, type Rgb } from "../pipeline/raster.ts";
import { decodePicture, encodePng } from "./picture-codec.ts";
import { upscale } from "./upscale.ts";

const FAST = upscaler(2, "fast");

/** Repeats each pixel, and has no memory for tiles with a side above `mostSide`. */
class Repeating extends ModelSessions {
  readonly shapes: string[] = [];
  readonly #mostSide: number;

  constructor(provider: "cpu" | "cuda", mostSide = Infinity) {
    super({ modelsDir: "", provider, intraOpThreads: 1 });
    this.#mostSide = mostSide;
  }

  override run(_model: unknown, { data, dims }: ModelInput): Promise<Float32Array> {
    const [, , height = 0, width = 0] = dims;
    this.shapes.push(`${width}x${height}`);
    if (Math.max(width, height) > this.#mostSide) throw new Error("Failed to allocate memory for a buffer");
    const out = new Float32Array(data.length * 4);
    for (let y = 0, i = 0; y < 3 * height * 2; y++) {
      for (let x = 0; x < width * 2; x++, i++)
        out[i] = data[Math.floor(y / 2) * width + Math.floor(x / 2)] ?? 0;
    }
    return Promise.resolve(out);
  }
}

function ramp(width: number, height: number): Rgb {
  const rgb = newRgb(width, height);
  for (let i = 0; i < rgb.data.length; i++) rgb.data[i] = 60 + ((i * 7) % 130);
  return rgb;
}

async function run(sessions: ModelSessions, picture: Rgb, tileScale?: number) {
  const { bytes } = await encodePng(picture);
  const done = await upscale(
    { picture: bytes, ...(tileScale !== undefined && { tileScale }) },
    FAST,
    sessions,
  );
  return { ...done.facts, rgb: (await decodePicture(done.picture.bytes)).rgb };
}

const shapesOf = ({ shapes }: Repeating) => [...new Set(shapes)];

describe("upscale", () => {
  it("fits tiles to the picture on a CPU, and keeps to one shape on a GPU", async () => {
    const [cpu, gpu] = [new Repeating("cpu"), new Repeating("cuda")];
    const onCpu = await run(cpu, ramp(300, 90));
    const onGpu = await run(gpu, ramp(300, 90));
    expect(shapesOf(cpu)).toEqual(["174x114"]);
    expect(shapesOf(gpu)).toEqual(["240x240"]);
    expect(onCpu).toMatchObject({ tiles: 2, tilePixels: 174 });
    expect(onGpu).toMatchObject({ tiles: 2, tilePixels: 240 });
    expect(onCpu.rgb).toEqual(onGpu.rgb);
  });

  it("goes on with tiles of half the size when memory runs out, to the same picture", async () => {
    const tight = new Repeating("cuda", 100);
    const done = await run(tight, ramp(100, 80));
    expect(shapesOf(tight)).toEqual(["240x240", "120x120", "64x64"]);
    expect(done.tilePixels).toBe(64);
    expect(done.rgb).toEqual((await run(new Repeating("cuda"), ramp(100, 80))).rgb);
  });

  it("gives up when the smallest tile does not fit", async () => {
    await expect(run(new Repeating("cuda", 32), ramp(100, 80))).rejects.toMatchObject({
      class: "out-of-memory",
    });
  });

  it.each(["cpu", "cuda"] as const)(
    "is told by its facts how to make the same tiles again on %s",
    async (on) => {
      const [first, again] = [new Repeating(on), new Repeating(on)];
      const { tilePixels } = await run(first, ramp(517, 263), 0.4);
      await run(again, ramp(517, 263), tilePixels / FAST.task.tile);
      expect(again.shapes).toEqual(first.shapes);
    },
  );
});
