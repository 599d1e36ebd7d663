import { describe, expect, it } from "vitest";
import { type Alpha, newRgb } from "./raster.ts";
import { makeReflection } from "./reflection.ts";

const SIDE = 200;

/** A white product of which the pixels are solid where `isSolid` says so. */
function cutout(isSolid: (x: number, y: number) => boolean) {
  const alpha: Alpha = {
    width: SIDE,
    height: SIDE,
    data: Uint8Array.from({ length: SIDE * SIDE }, (_, i) =>
      isSolid(i % SIDE, Math.floor(i / SIDE)) ? 255 : 0,
    ),
  };
  const colour = newRgb(SIDE, SIDE);
  colour.data.fill(255);
  return { colour, alpha };
}

describe("makeReflection", () => {
  const shareAt = (made: ReturnType<typeof makeReflection>, x: number, y: number) =>
    made?.share.data[(y - made.from) * SIDE + x] ?? 0;

  it("hangs together with a round foot all along its front", () => {
    const outline = (x: number) => 189 + 10 * Math.sqrt(Math.max(0, 1 - ((x - 100) / 60) ** 2));
    const made = makeReflection(
      cutout((x, y) => x >= 40 && x < 160 && y > 20 && y <= outline(x)),
      0.5,
    );
    for (const x of [46, 60, 100, 140, 154]) {
      expect(shareAt(made, x, Math.ceil(outline(x)) + 2)).toBeGreaterThan(0.3);
    }
  });

  it("mirrors what hangs over at the foot's own place on the floor", () => {
    const made = makeReflection(
      cutout((x, y) => (y < 180 && y > 20) || (x >= 60 && x < 140 && y >= 180)),
      0.5,
    );
    expect(shareAt(made, 20, 205)).toBeLessThan(0.02);
    expect(shareAt(made, 20, 225)).toBeGreaterThan(0.1);
  });

  it("has none of nothing", () => {
    expect(
      makeReflection(
        cutout(() => false),
        0.5,
      ),
    ).toBeUndefined();
  });
});
