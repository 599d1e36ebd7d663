import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { Brand, SET_NAMES } from "#crds/brand.ts";
import { contains } from "../pipeline/box.ts";
import { compareCore } from "../pipeline/fidelity.ts";
import { photoBytes } from "../testing.ts";
import { PlaceFacts } from "./facts.ts";
import { decodePicture } from "./picture-codec.ts";
import { place } from "./place.ts";

const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048, maxScenePixels: 4e5 };

let photo: Buffer;
/** The rendered bottle, cut out by its exact matte: no model is needed. */
let cutout: Uint8Array;
let backdrop: Buffer;

beforeAll(async () => {
  photo = await photoBytes("bottle");
  const matte = await readFile(new URL("../../hack/photos/bottle-matte.png", import.meta.url));
  const alpha = await sharp(matte).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  const { width, height } = alpha.info;
  cutout = await sharp(photo)
    .joinChannel(alpha.data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  backdrop = await photoBytes("coffee");
});

const placed = (brand: object, input: object = {}) =>
  place({ photo, cutout, brand: Brand.parse(brand), ...input }, LIMITS);

const GRADIENT = { placement: "gradient", background: "#e8d8c8", gradient: { to: "#4a6a72" } };

describe("place", () => {
  it.each([
    ...SET_NAMES.map((style) => ({ placement: "studio", style })),
    { placement: "color", background: "#ffffff" },
    { placement: "transparent" },
    GRADIENT,
    { placement: "image", image: "raw/acme/wall.jpg" },
  ])("keeps the product and every frame whole: $placement $style", async (brand) => {
    const { facts, picture, layers } = await placed(brand, { backdrop });
    expect(PlaceFacts.parse(facts)).toEqual(facts);
    expect(facts.fidelity).toMatchObject({ maxAbsDifference: 0, deltaE00P95: 0, psnrDb: 99 });
    expect(facts.fidelity.corePixels).toBeGreaterThan(10_000);
    expect(Object.keys(facts.frames)).toEqual(["1:1", "4:3", "9:16"]);
    for (const frame of Object.values(facts.frames)) expect(contains(frame, facts.contentBox)).toBe(true);
    const isClear = brand.placement === "transparent";
    expect((await decodePicture(picture.bytes)).alpha !== undefined).toBe(isClear);
    expect(layers.map(({ name }) => name)).toEqual(
      isClear ? ["mask", "cutout"] : ["mask", "cutout", "shadow"],
    );
    for (const layer of layers)
      expect(layer.picture).toMatchObject({ width: picture.width, height: picture.height });
  });

  it("gives the parts of the scene as layers that show the same product and shadow", async () => {
    const { facts, picture, layers } = await placed({ style: "plaster" });
    const bytesOf = (name: string) =>
      layers.find((layer) => layer.name === name)?.picture.bytes ?? new Uint8Array();
    const whole = await decodePicture(picture.bytes);
    const alone = await decodePicture(bytesOf("cutout"));
    const core = new Uint8Array(facts.productBox.width * facts.productBox.height);
    const { x, y, width, height } = facts.productBox;
    for (let i = 0; i < core.length; i++) {
      const at = (y + Math.floor(i / width)) * picture.width + x + (i % width);
      core[i] = alone.alpha?.data[at] === 255 ? 1 : 0;
    }
    const cropped = await sharp(bytesOf("cutout"))
      .removeAlpha()
      .extract({ left: x, top: y, width, height })
      .raw()
      .toBuffer();
    const reference = { width, height, data: new Uint8Array(cropped) };
    expect(compareCore(whole.rgb, facts.productBox, reference, core).maxAbsDifference).toBe(0);
    const shadow = await decodePicture(bytesOf("shadow"));
    const under = (y + height) * picture.width + x + Math.floor(width / 2);
    expect(shadow.alpha?.data[under]).toBeGreaterThan(60);
    expect(shadow.rgb.data.every((level) => level === 0)).toBe(true);
  });

  it("throws a shadow into a transparent picture when it is asked to", async () => {
    const shadow = { parts: ["contact", "cast"], softness: 40, intensity: 70 };
    const { picture, facts } = await placed({ placement: "transparent", shadow });
    const { alpha } = await decodePicture(picture.bytes);
    const { x, y, width, height } = facts.productBox;
    expect(alpha?.data[(y + height) * picture.width + x + Math.floor(width / 2)]).toBeGreaterThan(60);
    expect(facts.contentBox.width).toBeGreaterThan(width);
  });

  it("tints the product within its bounds, and proves just that", async () => {
    const { facts } = await placed({ style: "window", background: "#d09060", harmonisePercent: 100 });
    expect(facts.fidelity.maxAbsDifference).toBe(0);
    expect(facts.harmonised?.leastGain).toBeGreaterThanOrEqual(0.88);
    expect(facts.harmonised?.mostGain).toBeLessThanOrEqual(1.12);
    expect(facts.harmonised?.deltaE00P95).toBeGreaterThan(0.2);
    expect(facts.harmonised?.deltaE00P95).toBeLessThanOrEqual(4);
  });

  it("puts a product that the photo cuts off against the same edge", async () => {
    const box = { left: 560, top: 150, width: 464, height: 874 };
    const cut = {
      photo: await sharp(photo).extract(box).png().toBuffer(),
      cutout: await sharp(cutout).extract(box).png().toBuffer(),
    };
    const { facts } = await placed({ style: "plaster" }, cut);
    expect(facts.snapped).toEqual(["left"]);
    for (const frame of Object.values(facts.frames)) expect(frame.x).toBe(facts.productBox.x);
  });

  it.each([
    { brand: { style: "moon" }, message: "brand.style is one of sweep, plaster" },
    { brand: { placement: "image", image: "raw/acme/wall.jpg" }, message: "brand.image" },
    { brand: { placement: "gradient", background: "#ffffff" }, message: "brand.gradient" },
  ])("fails as config, and says why: $message", async ({ brand, message }) => {
    await expect(placed(brand)).rejects.toMatchObject({
      class: "config",
      message: expect.stringContaining(message),
    });
  });

  it("paints no scene without a model", async () => {
    await expect(placed({ placement: "generated", prompt: "a beach" })).rejects.toMatchObject({
      class: "model",
      message: expect.stringContaining("scene model"),
    });
  });

  it("takes no background picture that cannot be read", async () => {
    const brand = { placement: "image", image: "raw/acme/wall.jpg" };
    await expect(placed(brand, { backdrop: new Uint8Array([1, 2, 3]) })).rejects.toMatchObject({
      class: "config",
      message: expect.stringContaining("background picture"),
    });
  });
});
