import { expect, it } from "vitest";
import { extendColours } from "./extend-colours.ts";
import { newRgb } from "./raster.ts";

it("continues a product's colour under its transparent surroundings and leaves the product alone", () => {
  const rgb = newRgb(40, 20);
  const alpha = { width: 40, height: 20, data: new Uint8Array(800) };
  for (let i = 0; i < 800; i++) {
    const isProduct = i % 40 < 10;
    alpha.data[i] = isProduct ? 255 : 0;
    rgb.data.set(isProduct ? [200, 100, 50] : [0, 255, 0], i * 3);
  }
  const extended = extendColours(rgb, alpha, 6);
  const at = (x: number) => [...extended.data.subarray((5 * 40 + x) * 3, (5 * 40 + x) * 3 + 3)];
  for (const x of [3, 9, 10, 15]) expect(at(x)).toEqual([200, 100, 50]);
  expect(at(30)).toEqual([0, 255, 0]);
  expect(rgb.data[10 * 3]).toBe(0);
});
