import { describe, expect, it } from "vitest";
import { Brand, SET_NAMES } from "#crds/brand.ts";
import type { Alpha } from "../pipeline/raster.ts";
import { settleLook } from "./place-look.ts";
import { cutOffEdges } from "./place-product.ts";

const block: Alpha = { width: 60, height: 100, data: new Uint8Array(6000).fill(255) };
const settle = (brand: object, cutOff: Parameters<typeof settleLook>[2] = []) =>
  settleLook(Brand.parse(brand), block, cutOff);

describe("settleLook", () => {
  it("names the sets when it is asked for one that does not exist", () => {
    expect(() => settle({ style: "moon" })).toThrow(`brand.style is one of ${SET_NAMES.join(", ")}`);
    expect(settle({ style: "marble" }).set).toBe("marble");
    expect(settle({}).set).toBe("sweep");
  });

  it.each([
    { brand: { placement: "transparent" }, parts: [] },
    { brand: { placement: "color" }, parts: ["contact"] },
    { brand: { placement: "studio" }, parts: ["contact", "cast"] },
    { brand: { placement: "studio", style: "marble" }, parts: ["contact", "cast", "reflection"] },
    { brand: { placement: "studio", shadow: { parts: [] } }, parts: [] },
    { brand: { placement: "color", shadow: { parts: ["cast"] } }, parts: ["cast"] },
  ])("throws what suits the placement, or what is asked for: $brand", ({ brand, parts }) => {
    const shadow = "shadow" in brand ? { softness: 50, ...brand.shadow } : undefined;
    expect([...settle({ ...brand, ...(shadow && { shadow }) }).parts]).toEqual(parts);
  });

  it("throws nothing below a product that the photo cuts off there, and snaps it unless told not to", () => {
    expect(settle({}, ["bottom"]).parts.size).toBe(0);
    expect(settle({}, ["bottom"]).layout.snap).toEqual(["bottom"]);
    expect(settle({ layout: { snapToEdges: false } }, ["left"]).layout.snap).toEqual([]);
  });

  it("lets the shadow fall to the back where the sun must reach the wall, unless the brand says where", () => {
    expect(settle({ style: "window" }).shadow.directionDegrees).toBe(320);
    expect(settle({ style: "window", shadow: { directionDegrees: 200 } }).shadow.directionDegrees).toBe(200);
    expect(settle({ style: "wood" }).shadow.directionDegrees).toBe(25);
  });

  it("asks for a frame for each export that shows the scene, and for a square where there is none", () => {
    const namesOf = (exports: readonly string[]) => Object.keys(settle({ exports }).ratios);
    expect(namesOf(["4:3", "mask", "9:16"])).toEqual(["4:3", "9:16"]);
    expect(namesOf(["web-hero", "amazon-main"])).toEqual(["web-hero"]);
    expect(namesOf(["amazon-main", "cutout"])).toEqual(["1:1"]);
  });

  it("keeps free in a story's frame what the app covers", () => {
    const { ratios } = settle({ exports: ["instagram-story", "9:16"] });
    expect(ratios["instagram-story"]).toMatchObject({
      width: 9,
      height: 16,
      covered: { top: 0.14, bottom: 0.2 },
    });
    expect(ratios["9:16"]?.covered).toBeUndefined();
  });
});

it("tells a product that the photo cuts off from one that only comes near its edge", () => {
  const alpha = { width: 100, height: 100, data: new Uint8Array(10_000) };
  for (let y = 40; y < 60; y++) alpha.data.fill(255, y * 100, y * 100 + 70);
  alpha.data.fill(255, 0, 3);
  expect(cutOffEdges(alpha, { x: 0, y: 0, width: 70, height: 60 })).toEqual(["left"]);
});
