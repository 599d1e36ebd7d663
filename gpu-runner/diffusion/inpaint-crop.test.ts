import fc from "fast-check";
import { expect, it } from "vitest";
import type { Alpha } from "../pipeline/raster.ts";
import { cropRegion, fitMask, fitRgb, layBack } from "./inpaint-crop.ts";
import { resizeLanczos } from "./lanczos.ts";

/** A mask with one painted block. */
function masked(width: number, height: number, block: readonly [number, number, number, number]): Alpha {
  const [left, top, right, bottom] = block;
  const data = new Uint8Array(width * height);
  for (let y = top; y < bottom; y++) data.fill(255, y * width + left, y * width + right);
  return { width, height, data };
}

it.each([
  // As diffusers' VaeImageProcessor.get_crop_region says.
  { block: [40, 30, 60, 50], padding: 10, region: { x: 30, y: 20, width: 40, height: 40 } },
  { block: [40, 30, 80, 50], padding: 0, region: { x: 40, y: 20, width: 40, height: 40 } },
  { block: [0, 0, 10, 30], padding: 4, region: { x: 0, y: 0, width: 34, height: 34 } },
  { block: [90, 60, 100, 80], padding: 8, region: { x: 72, y: 52, width: 28, height: 28 } },
] as const)("works on the masked part, padded and in the picture's ratio: $block", (given) => {
  const mask = masked(100, 80, given.block);
  expect(cropRegion(mask, { width: 64, height: 64 }, given.padding)).toEqual(given.region);
});

it("never leaves the picture and never loses what is masked", () => {
  const cut = fc.integer({ min: 0, max: 59 });
  fc.assert(
    fc.property(fc.tuple(cut, cut, cut, cut), fc.integer({ min: 0, max: 80 }), ([a, b, c, d], padding) => {
      const [left, right] = [Math.min(a, b), Math.max(a, b) + 1];
      const [top, bottom] = [Math.min(c, d), Math.max(c, d) + 1];
      const region = cropRegion(
        masked(60, 60, [left, top, right, bottom]),
        { width: 96, height: 64 },
        padding,
      );
      expect(region.x).toBeGreaterThanOrEqual(0);
      expect(region.y).toBeGreaterThanOrEqual(0);
      expect(region.x).toBeLessThanOrEqual(left);
      expect(region.y).toBeLessThanOrEqual(top);
      expect(region.x + region.width).toBeGreaterThanOrEqual(right);
      expect(region.y + region.height).toBeGreaterThanOrEqual(bottom);
      expect(region.x + region.width).toBeLessThanOrEqual(60);
      expect(region.y + region.height).toBeLessThanOrEqual(60);
    }),
  );
});

it("says so when nothing is masked", () => {
  expect(() => cropRegion(masked(10, 10, [0, 0, 0, 0]), { width: 8, height: 8 }, 0)).toThrow(
    "nothing is masked",
  );
});

it("fits a part of another ratio in without stretching it, and repeats its edges", () => {
  const data = Uint8Array.from({ length: 8 * 4 * 3 }, (_, i) => (Math.floor(i / 24) % 2 === 0 ? 40 : 200));
  const wide = fitRgb({ width: 8, height: 4, data }, { width: 8, height: 8 });
  const row = (y: number) => wide.data[y * 24];
  expect([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)]).toEqual([
    40, 40, 40, 200, 40, 200, 200, 200,
  ]);
  const mask = fitMask(masked(4, 4, [0, 0, 4, 4]), { width: 8, height: 8 });
  expect(mask.data.every((level) => level === 255)).toBe(true);
});

it("changes nothing outside the mask when it lays a part back", () => {
  const whole = { width: 10, height: 10, data: new Uint8Array(300).fill(10) };
  const mask = masked(10, 10, [4, 4, 6, 6]);
  const made = { width: 4, height: 4, data: new Uint8Array(48).fill(250) };
  const { data } = layBack(whole, mask, { x: 3, y: 3, width: 4, height: 4 }, made);
  for (let i = 0; i < 100; i++) expect(data[i * 3]).toBe(mask.data[i] === 255 ? 250 : 10);
});

it("keeps flat pictures flat and equal sizes equal, whatever the size", () => {
  const flat = { width: 13, height: 7, channels: 3, data: new Uint8Array(13 * 7 * 3).fill(77) };
  expect(new Set(resizeLanczos(flat, { width: 29, height: 5 }).data)).toEqual(new Set([77]));
  const noise = { ...flat, data: flat.data.map((_, i) => (i * 97) % 256) };
  expect(resizeLanczos(noise, noise).data).toEqual(noise.data);
});
