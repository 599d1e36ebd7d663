import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boxBlur, softBlur } from "./blur.ts";
import { parseHexColour, toLinear, toSrgb } from "./linear-light.ts";
import { ditherAt, randomAt, smoothNoiseAt } from "./noise.ts";
import { resizePlane, shrinkPlane } from "./resample.ts";
import { type Plane, newPlane } from "./raster.ts";

const plane = (width: number, values: readonly number[]): Plane => ({
  width,
  height: values.length / width,
  data: Float32Array.from(values),
});

describe("linear light", () => {
  it("gives every level back", () => {
    for (let level = 0; level < 256; level++) expect(Math.round(toSrgb(toLinear(level)))).toBe(level);
  });

  it("reads colours and refuses what is none", () => {
    expect(parseHexColour("#f4F1ea")).toEqual([0xf4, 0xf1, 0xea]);
    expect(() => parseHexColour("red")).toThrow("not a colour");
  });
});

describe("blur", () => {
  it("equals the plain mean over the window, shrunk at the ends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 0, max: 40 }),
        (values, radius) => {
          const blurred = boxBlur(plane(values.length, values), radius, 0).data;
          values.forEach((_, i) => {
            const window = values.slice(Math.max(0, i - radius), i + radius + 1);
            expect(blurred[i]).toBeCloseTo(window.reduce((a, b) => a + b) / window.length, 3);
          });
        },
      ),
    );
  });

  it("spreads a point about as wide as asked", () => {
    const point = newPlane(81, 1);
    point.data[40] = 1;
    const soft = softBlur(point, 5, 0).data;
    const variance = soft.reduce((sum, value, x) => sum + value * (x - 40) ** 2, 0);
    expect(Math.sqrt(variance)).toBeGreaterThan(4.4);
    expect(Math.sqrt(variance)).toBeLessThan(5.6);
  });
});

describe("resample", () => {
  it("keeps a constant and a size", () => {
    const flat = plane(3, [7, 7, 7, 7, 7, 7]);
    expect(resizePlane(flat, 5, 9).data.every((value) => Math.abs(value - 7) < 1e-5)).toBe(true);
    const ramp = plane(4, [0, 1, 2, 3]);
    expect([...resizePlane(ramp, 4, 1).data]).toEqual([0, 1, 2, 3]);
  });

  it("shrinks by means, the last block being smaller", () => {
    expect([...shrinkPlane(plane(3, [1, 3, 8, 1, 3, 8]), 2).data]).toEqual([2, 8]);
  });
});

describe("noise", () => {
  it("depends on seed and place alone, and is evenly spread", () => {
    expect(randomAt(1, 2, 3)).toBe(randomAt(1, 2, 3));
    expect(randomAt(1, 2, 3)).not.toBe(randomAt(2, 2, 3));
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += randomAt(5, i % 100, Math.floor(i / 100));
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });

  it("stays in range and is smooth where it should be", () => {
    for (let i = 0; i < 1000; i++) {
      expect(Math.abs(ditherAt(9, i, 3))).toBeLessThanOrEqual(1);
      const here = smoothNoiseAt(9, i / 50, 0.3);
      expect(Math.abs(here - smoothNoiseAt(9, (i + 1) / 50, 0.3))).toBeLessThan(0.1);
    }
  });
});
