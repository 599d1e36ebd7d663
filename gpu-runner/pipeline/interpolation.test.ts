import { describe, expect, it } from "vitest";
import { resizeRgb } from "../stages/picture-codec.ts";
import { interpolated } from "./interpolation.ts";
import { randomAt } from "./noise.ts";
import type { Rgb } from "./raster.ts";

const noise = (width: number, height: number): Rgb => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => 255 * randomAt(1, i, 0)),
});

describe.each([2, 4])("interpolated, ×%i", (factor) => {
  it("is what libvips makes of it, but for rounding", async () => {
    const small = noise(23, 17);
    const theirs = await resizeRgb(small, { width: 23 * factor, height: 17 * factor });
    const ours = interpolated(small, factor);
    expect(ours).toMatchObject({ width: theirs.width, height: theirs.height });
    for (const [i, level] of ours.data.entries()) {
      expect(Math.abs(level - (theirs.data[i] ?? 0))).toBeLessThanOrEqual(1);
    }
  });

  it("repeats a single pixel", () => {
    const pixel = { width: 1, height: 1, data: Uint8Array.of(10, 200, 255) };
    const large = interpolated(pixel, factor);
    expect([...large.data]).toEqual(Array.from({ length: factor ** 2 }, () => [10, 200, 255]).flat());
  });
});
