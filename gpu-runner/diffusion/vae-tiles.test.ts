import fc from "fast-check";
import { expect, it } from "vitest";
import { cutTile, planOverlapping, TileBlend } from "./vae-tiles.ts";

const side = fc.integer({ min: 1, max: 90 });

it("covers an area with tiles of one shape that overlap enough and stay inside", () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const tiles = planOverlapping({ width, height }, 24, 8);
      const covered = new Uint8Array(width * height);
      for (const tile of tiles) {
        expect([tile.width, tile.height]).toEqual([Math.min(24, width), Math.min(24, height)]);
        for (let y = tile.y; y < tile.y + tile.height; y++) {
          for (let x = tile.x; x < tile.x + tile.width; x++) covered[y * width + x] = 1;
        }
        expect(tile.x + tile.width).toBeLessThanOrEqual(width);
        expect(tile.y + tile.height).toBeLessThanOrEqual(height);
      }
      expect(covered.every((one) => one === 1)).toBe(true);
      const starts = [...new Set(tiles.map(({ x }) => x))];
      for (const [i, start] of starts.slice(1).entries()) {
        expect(start - (starts[i] ?? 0)).toBeLessThanOrEqual(16);
      }
    }),
  );
});

it("joins what was cut apart to what it was", () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const area = { width, height };
      const planes = Float32Array.from({ length: 2 * width * height }, (_, i) => Math.sin(i));
      const blend = new TileBlend(area, 2, 8);
      for (const tile of planOverlapping(area, 24, 8)) blend.add(tile, cutTile(planes, area, tile));
      const joined = blend.finish();
      for (const [i, value] of joined.entries()) expect(value).toBeCloseTo(planes[i] ?? 0, 5);
    }),
    { numRuns: 30 },
  );
});

it("leaves no step where tiles of different brightness meet", () => {
  const area = { width: 40, height: 24 };
  const blend = new TileBlend(area, 1, 8);
  const tiles = planOverlapping(area, 24, 8);
  for (const [i, tile] of tiles.entries()) blend.add(tile, new Float32Array(24 * 24).fill(i));
  const joined = blend.finish();
  for (let x = 1; x < 40; x++) expect((joined[x] ?? 0) - (joined[x - 1] ?? 0)).toBeLessThan(0.2);
  expect([joined[0], joined[39]]).toEqual([0, 1]);
});
