import { describe, expect, it } from "vitest";
import { baseOf } from "./pose.ts";
import { newPlane } from "./raster.ts";
import { castShadow } from "./shadow-cast.ts";
import { STUDIO_SHADOW } from "./shadow.ts";

const [WIDTH, HEIGHT] = [300, 260];

/** A stool with two legs in front and two that stand 40 rows higher up, at the back. */
function stool() {
  const parts = [
    { left: 80, right: 220, top: 80, bottom: 99 },
    { left: 80, right: 88, top: 100, bottom: 220 },
    { left: 212, right: 220, top: 100, bottom: 220 },
    { left: 110, right: 118, top: 100, bottom: 180 },
    { left: 180, right: 188, top: 100, bottom: 180 },
  ];
  const solid = newPlane(WIDTH, HEIGHT);
  for (const { left, right, top, bottom } of parts) {
    for (let y = top; y <= bottom; y++) solid.data.fill(1, y * WIDTH + left, y * WIDTH + right);
  }
  const base = baseOf({ width: WIDTH, height: HEIGHT, data: Uint8Array.from(solid.data, (v) => 255 * v) });
  if (!base) throw new Error("a stool has feet");
  return { solid, base, measure: 141 };
}

describe("castShadow of legs", () => {
  const scaled = stool();
  const cast = castShadow(scaled, { ...STUDIO_SHADOW, softness: 0.2, directionDegrees: 0 });
  const at = (x: number, y: number) => cast.data[y * WIDTH + x] ?? 0;

  it("begins at each leg's own foot", () => {
    expect(scaled.base.feet).toHaveLength(4);
    expect(at(224, 219)).toBeGreaterThan(0.2);
    expect(at(192, 179)).toBeGreaterThan(0.2);
  });

  it("has the seat's between front and back legs, not before them", () => {
    const column = Array.from({ length: HEIGHT }, (_, y) => at(195, y));
    const middle = column.reduce((sum, dark, y) => sum + dark * y, 0) / column.reduce((a, b) => a + b, 0);
    expect(middle).toBeGreaterThan(185);
    expect(middle).toBeLessThan(215);
    expect(at(195, 240)).toBeLessThan(0.02);
  });
});
