import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { Brand } from "#crds/brand.ts";
import { DEFAULT_MODELS, upscaler } from "../models/catalogue.ts";
import { ModelSessions } from "../models/sessions.ts";
import { contains } from "../pipeline/box.ts";
import { photoBytes, testModels } from "../testing.ts";
import { decodePicture } from "./picture-codec.ts";
import { place } from "./place.ts";
import { segment } from "./segment.ts";
import { upscale } from "./upscale.ts";

const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048, maxScenePixels: 3e6 };

let sessions: ModelSessions;
let photo: Buffer;
let cutout: Uint8Array;

beforeAll(async () => {
  sessions = new ModelSessions({ modelsDir: await testModels(), provider: "cpu", intraOpThreads: 2 });
  for (const model of DEFAULT_MODELS) await sessions.load(model);
  photo = await photoBytes("bottle");
  cutout = (await segment(photo, LIMITS, sessions)).picture.bytes;
});

describe("segment", () => {
  it("finds the rendered bottle's exact matte", async () => {
    const { alpha } = await decodePicture(cutout);
    const exact = await sharp(await readFile(new URL("../../hack/photos/bottle-matte.png", import.meta.url)))
      .toColourspace("b-w")
      .raw()
      .toBuffer();
    let both = 0;
    let either = 0;
    let error = 0;
    exact.forEach((wanted, i) => {
      const got = alpha?.data[i] ?? 0;
      both += Math.min(wanted, got);
      either += Math.max(wanted, got);
      error += Math.abs(wanted - got);
    });
    expect(both / either).toBeGreaterThan(0.97);
    expect(error / exact.length / 255).toBeLessThan(0.005);
  });

  it.each([
    {
      name: "a blank wall",
      picture: { create: { width: 900, height: 700, channels: 3 as const, background: "#e6e2da" } },
    },
    {
      name: "noise",
      picture: {
        create: {
          width: 600,
          height: 600,
          channels: 3 as const,
          background: "#808080",
          noise: { type: "gaussian" as const, mean: 128, sigma: 40 },
        },
      },
    },
  ])("finds no product on $name", async ({ picture }) => {
    const blank = await sharp(picture).jpeg().toBuffer();
    await expect(segment(blank, LIMITS, sessions)).rejects.toMatchObject({ class: "no-product" });
  });

  it("says which edges cut the product off", async () => {
    const cat = await readFile(new URL("../../hack/photos/edge-cases/cat.jpg", import.meta.url));
    const { facts } = await segment(cat, LIMITS, sessions);
    expect(facts.touchesFrame).toContain("bottom");
  });
});

describe("place", () => {
  it.each(["studio", "color", "transparent"] as const)("keeps the product exactly, %s", async (placement) => {
    const brand = Brand.parse({ placement, background: "#ffffff" });
    const { facts, picture } = await place({ photo, cutout, brand }, LIMITS);
    expect(facts.fidelity).toMatchObject({ maxAbsDifference: 0, meanAbsDifference: 0 });
    expect(facts.fidelity.corePixels).toBeGreaterThan(150_000);
    for (const frame of Object.values(facts.frames)) expect(contains(frame, facts.contentBox)).toBe(true);
    const { alpha, rgb } = await decodePicture(picture.bytes);
    expect(alpha !== undefined).toBe(placement === "transparent");
    if (placement === "color") expect([...rgb.data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it("keeps it exactly after a resize too", async () => {
    const { facts, picture } = await place(
      { photo, cutout, brand: Brand.parse({}) },
      { ...LIMITS, maxScenePixels: 3e5 },
    );
    expect(facts.scale).toBeLessThan(0.6);
    expect(picture.width * picture.height).toBeLessThanOrEqual(3e5);
    expect(facts.fidelity).toMatchObject({ maxAbsDifference: 0 });
    expect(facts.fidelity.corePixels).toBeGreaterThan(10_000);
  });

  it("makes the same bytes from the same recipe, and others from another seed", async () => {
    const make = async (seed: number) =>
      (await place({ photo, cutout, brand: Brand.parse({ seed }) }, LIMITS)).picture.bytes;
    const first = await make(1);
    expect(Buffer.compare(first, await make(1))).toBe(0);
    expect(Buffer.compare(first, await make(2))).not.toBe(0);
  });

  it("paints no scene without a scene model", async () => {
    const brand = Brand.parse({ placement: "generated", prompt: "on a beach" });
    await expect(place({ photo, cutout, brand }, LIMITS)).rejects.toMatchObject({ class: "model" });
  });

  it("refuses a cut-out of another picture", async () => {
    await expect(
      place({ photo: await photoBytes("coffee"), cutout, brand: Brand.parse({}) }, LIMITS),
    ).rejects.toMatchObject({ class: "quality" });
  });
});

describe("upscale", () => {
  it("doubles a transparent picture without a dark rim", async () => {
    const small = { ...LIMITS, maxScenePixels: 2e5 };
    const placed = await place({ photo, cutout, brand: Brand.parse({ placement: "transparent" }) }, small);
    const { picture, facts } = await upscale(
      { picture: placed.picture.bytes, productBox: placed.facts.productBox },
      upscaler(2, "fast"),
      sessions,
    );
    expect([picture.width, picture.height]).toEqual([placed.picture.width * 2, placed.picture.height * 2]);
    expect(facts.factor).toBe(2);
    const before = await sharp(placed.picture.bytes).flatten({ background: "#ffffff" }).raw().toBuffer();
    const after = await sharp(picture.bytes)
      .flatten({ background: "#ffffff" })
      .resize(placed.picture.width, placed.picture.height, { kernel: "linear" })
      .raw()
      .toBuffer();
    const mean = before.reduce((sum, level, i) => sum + Math.abs(level - (after[i] ?? 0)), 0) / before.length;
    expect(mean).toBeLessThan(1.5);
  });

  it.each([
    [1, 240],
    [0.5, 120],
    [0.25, 64],
  ])("cuts no larger tiles than it is told: scale %d", async (tileScale, most) => {
    const small = { ...LIMITS, maxScenePixels: 2e4 };
    const { picture } = await place({ photo, cutout, brand: Brand.parse({ placement: "studio" }) }, small);
    const { facts } = await upscale({ picture: picture.bytes, tileScale }, upscaler(2, "fast"), sessions);
    expect(facts.tilePixels).toBeLessThanOrEqual(most);
    expect(facts.tilePixels).toBeGreaterThan(most / 2);
  });
});
