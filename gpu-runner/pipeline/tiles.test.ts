import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newRgb, type Rgb } from "./raster.ts";
import { fittedTile, mirrored, planTiles, readTile, squareTile, writeTile } from "./tiles.ts";

function ramp(width: number, height: number): Rgb {
  const rgb = newRgb(width, height);
  for (let i = 0; i < rgb.data.length; i++) rgb.data[i] = (i * 13) % 256;
  return rgb;
}

it("mirrors without repeating the edge, however far outside", () => {
  expect([-3, -1, 0, 3, 4, 6, 9].map((i) => mirrored(i, 4))).toEqual([3, 1, 0, 3, 2, 0, 3]);
  expect(mirrored(-5, 1)).toBe(0);
});

describe("tiles", () => {
  it("cover every pixel once and give the picture back unchanged", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 9, max: 40 }),
        (width, height, tile) => {
          const shape = squareTile(tile, 4);
          const picture = ramp(width, height);
          const out = newRgb(width, height);
          for (const core of planTiles(picture, shape)) {
            writeTile(out, core, readTile(picture, core, shape), { ...shape, factor: 1, gain: 1 });
          }
          expect(out.data).toEqual(picture.data);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("may be written as more than they differ", () => {
    const shape = squareTile(10, 1);
    const core = { x: 0, y: 0, width: 8, height: 8 };
    const into = { ...newRgb(8, 8), data: new Uint8Array(8 * 8 * 3).fill(100) };
    const tile = new Float32Array(3 * 100).fill(110 / 255);
    writeTile(into, core, tile, { ...shape, factor: 1, gain: 1.5 });
    expect(into.data.every((level) => level === 115)).toBe(true);
  });

  it("refuse a shape that is all padding", () => {
    expect(() => planTiles({ width: 9, height: 9 }, squareTile(8, 4))).toThrow("leaves nothing");
  });

  it("fit a picture in as few tiles, none larger than it must be, and fit it again the same", () => {
    expect(fittedTile({ width: 600, height: 400 }, 240, 12)).toEqual({
      width: 224,
      height: 224,
      padding: 12,
    });
    expect(fittedTile({ width: 217, height: 20 }, 240, 12)).toEqual({ width: 134, height: 44, padding: 12 });
    const side = fc.integer({ min: 1, max: 3000 });
    const padding = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(side, side, padding, fc.integer({ min: 1, max: 300 }), (width, height, padding, half) => {
        const most = 2 * (padding + half);
        const shape = fittedTile({ width, height }, most, padding);
        expect(Math.max(shape.width, shape.height)).toBeLessThanOrEqual(most);
        expect(planTiles({ width, height }, shape).length).toBe(
          planTiles({ width, height }, squareTile(most, padding)).length,
        );
        expect(fittedTile({ width, height }, Math.max(shape.width, shape.height), padding)).toEqual(shape);
      }),
    );
  });
});
