import fc from "fast-check";
import { expect, it } from "vitest";
import { contains } from "./box.ts";
import { planCut } from "./crop.ts";
import { parseRatio } from "./layout.ts";

it("takes the largest cut, as near to the product as the picture allows", () => {
  const content = { x: 900, y: 100, width: 200, height: 200 };
  expect(planCut({ width: 1200, height: 600 }, content, parseRatio("1:1"))).toEqual({
    x: 600,
    y: 0,
    width: 600,
    height: 600,
  });
});

it("goes beyond the picture rather than through the product", () => {
  const content = { x: 100, y: 50, width: 800, height: 300 };
  const cut = planCut({ width: 1000, height: 400 }, content, parseRatio("9:16"));
  expect(cut.width).toBeGreaterThanOrEqual(880);
  expect(cut.y).toBeLessThan(0);
  expect(cut.height).toBeGreaterThan(400);
});

it("never touches product or shadow, whatever the picture", () => {
  const picture = fc.record({
    width: fc.integer({ min: 60, max: 4000 }),
    height: fc.integer({ min: 60, max: 4000 }),
  });
  const share = fc.double({ min: 0, max: 0.7, noNaN: true });
  const place = fc.record({ left: share, top: share, part: share });
  fc.assert(
    fc.property(picture, place, fc.constantFrom("1:1", "4:3", "9:16"), (size, { left, top, part }, ratio) => {
      const content = {
        x: Math.floor(size.width * left),
        y: Math.floor(size.height * top),
        width: Math.max(1, Math.floor(size.width * (1 - left) * part)),
        height: Math.max(1, Math.floor(size.height * (1 - top) * part)),
      };
      const sides = parseRatio(ratio);
      const cut = planCut(size, content, sides);
      expect(contains(cut, content)).toBe(true);
      expect(Math.abs(cut.height - (cut.width * sides.height) / sides.width)).toBeLessThanOrEqual(1);
    }),
  );
});
