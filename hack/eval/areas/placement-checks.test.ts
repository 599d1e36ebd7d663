import { expect, it } from "vitest";
import { newRgb } from "../../../gpu-runner/pipeline/raster.ts";
import { boxOverlap, clippedPixels, compareInside, fillError, insideAt } from "./placement-checks.ts";

const square = (size: number, from: number, to: number) => ({
  width: size,
  height: size,
  data: Uint8Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return x >= from && x < to && y >= from && y < to ? 255 : 0;
  }),
});

it("counts what a frame cuts off", () => {
  const alpha = square(20, 5, 15);
  expect(clippedPixels(alpha, { "1:1": { x: 0, y: 0, width: 20, height: 20 } })).toBe(0);
  // The frame begins at column 7: two columns of ten pixels are lost.
  expect(clippedPixels(alpha, { "1:1": { x: 7, y: 0, width: 13, height: 20 } })).toBe(20);
});

it("compares the planned box with the visible one", () => {
  const alpha = square(20, 5, 15);
  expect(boxOverlap(alpha, { x: 5, y: 5, width: 10, height: 10 }, 4)).toBe(1);
  expect(boxOverlap(alpha, { x: 5, y: 5, width: 10, height: 5 }, 4)).toBe(0.5);
  expect(boxOverlap(alpha, { x: 0, y: 0, width: 3, height: 3 }, 4)).toBe(0);
});

it("measures the fill along the tighter side", () => {
  // Room inside 10 % margins of a frame of 200 × 100: 180 × 80. At 50 %: 90 × 40.
  const frames = { "2:1": { x: 0, y: 0, width: 200, height: 100 } };
  const rules = { fillPercent: 50, marginPercent: 10 };
  expect(fillError({ x: 0, y: 0, width: 60, height: 40 }, frames, rules)).toBeCloseTo(0, 10);
  expect(fillError({ x: 0, y: 0, width: 93, height: 20 }, frames, rules)).toBeCloseTo(3, 10);
  expect(fillError({ x: 0, y: 0, width: 30, height: 38 }, frames, rules)).toBeCloseTo(2, 10);
});

it("finds a single changed pixel inside, and ignores the edge", () => {
  const alpha = square(10, 0, 10);
  const core = insideAt(alpha, alpha, 2);
  const reference = newRgb(10, 10);
  const placed = newRgb(20, 20);
  const product = { x: 4, y: 6, width: 10, height: 10 };
  expect(compareInside(placed, product, reference, core)).toMatchObject({
    pixels: 36,
    maxLevels: 0,
    psnr: Infinity,
  });
  placed.data[(6 * 20 + 4) * 3] = 200;
  expect(compareInside(placed, product, reference, core).maxLevels).toBe(0);
  placed.data[(11 * 20 + 9) * 3] = 30;
  const changed = compareInside(placed, product, reference, core);
  expect(changed.maxLevels).toBe(30);
  expect(changed.psnr).toBeCloseTo(10 * Math.log10((255 ** 2 * 108) / 900), 10);
  expect(changed.differences).toHaveLength(1);
});
