/** The scene model that lies in this folder, run as the product runs it. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { type DiffusionPipeline, openPipeline } from "../pipeline.ts";
import { plainly } from "../testing.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const SIZE = { width: 192, height: 192 };

let model: DiffusionPipeline;
beforeAll(async () => {
  model = await openPipeline(FOLDER, plainly());
});

async function painted(prompt: string, seeds: readonly number[] = [1]) {
  const { steps = 20, guidance = 4 } = model.folder.index.opal ?? {};
  const pictures = await model.generate({ prompt, seeds: [...seeds], steps, guidance, ...SIZE });
  return pictures.map(({ rgb }) => rgb.data);
}

/** Mean colour of some rows, 0..255. */
function colourOf(pixels: Uint8Array | undefined, rows: readonly [number, number]) {
  const part = pixels?.subarray(rows[0] * SIZE.width * 3, rows[1] * SIZE.width * 3) ?? [];
  const sums = [0, 0, 0];
  part.forEach((value, i) => (sums[i % 3] = (sums[i % 3] ?? 0) + value));
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => (sum * 3) / part.length);
  return { red, green, blue };
}

const TOP = [0, 40] as const;
const BOTTOM = [160, 192] as const;

describe("the scene model", () => {
  it("is what its folder says: four channels, cells of eight pixels, sizes of its own", () => {
    expect(model.kind).toMatchObject({ family: "sd", latentChannels: 4, factor: 8, nativeSize: 192 });
    expect(model.kind.isInpainting).toBe(false);
    expect(model.folder.index.opal?.sizes).toContainEqual([192, 192]);
  });

  it("paints the wall in the colour that is asked for", async () => {
    const [navy] = await painted(
      "product photo, oak wood, navy blue wall, daylight from the left, eye level",
    );
    const [yellow] = await painted("product photo, oak wood, yellow wall, daylight from the left, eye level");
    const [dark, bright] = [colourOf(navy, TOP), colourOf(yellow, TOP)];
    expect(dark.blue).toBeGreaterThan(dark.red);
    expect(bright.red).toBeGreaterThan(bright.blue + 40);
    expect(bright.green).toBeGreaterThan(dark.green + 40);
  });

  it("lays the surface that is asked for", async () => {
    const [sand] = await painted("golden sand, grey wall, daylight from above, high angle");
    const [black] = await painted("black marble, grey wall, daylight from above, high angle");
    const [bright, dark] = [colourOf(sand, BOTTOM), colourOf(black, BOTTOM)];
    expect(bright.red).toBeGreaterThan(bright.blue + 25);
    expect(bright.red).toBeGreaterThan(dark.red + 50);
  });

  it("gives the same picture for the same seed, alone or among others", async () => {
    const prompt = "white marble, sage green wall, a potted plant on the left";
    const [alone] = await painted(prompt, [7]);
    const [again, ...others] = await painted(prompt, [7, 8, 9, 10]);
    expect(alone && again && Buffer.compare(alone, again)).toBe(0);
    expect(others).toHaveLength(3);
  });
});
