import { describe, expect, it } from "vitest";
import { decontaminate } from "./decontaminate.ts";
import { type Alpha, newRgb, type Rgb } from "./raster.ts";

const SIDE = 96;
const PRODUCT = [200, 40, 30] as const;
const WALL = [20, 60, 220] as const;

/** A disc with a soft edge, photographed before a wall of another colour. */
function photographed(): { photo: Rgb; alpha: Alpha } {
  const alpha = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE) };
  const photo = newRgb(SIDE, SIDE);
  for (let i = 0; i < alpha.data.length; i++) {
    const distance = Math.hypot((i % SIDE) - 48, Math.floor(i / SIDE) - 48);
    const a = Math.min(1, Math.max(0, (33 - distance) / 6));
    alpha.data[i] = Math.round(a * 255);
    for (let c = 0; c < 3; c++)
      photo.data[i * 3 + c] = Math.round((PRODUCT[c] ?? 0) * a + (WALL[c] ?? 0) * (1 - a));
  }
  return { photo, alpha };
}

function edgeError(colour: Rgb, alpha: Alpha): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < alpha.data.length; i++) {
    const a = alpha.data[i] ?? 0;
    if (a < 25 || a > 230) continue;
    for (let c = 0; c < 3; c++, count++) sum += Math.abs((colour.data[i * 3 + c] ?? 0) - (PRODUCT[c] ?? 0));
  }
  return sum / count;
}

describe("decontaminate", () => {
  const { photo, alpha } = photographed();
  const clean = decontaminate(photo, alpha);

  it("takes most of the wall's colour out of the soft edge", () => {
    expect(edgeError(clean, alpha)).toBeLessThan(0.25 * edgeError(photo, alpha));
  });

  it("leaves opaque pixels exactly as they were", () => {
    for (let i = 0; i < alpha.data.length; i++) {
      if (alpha.data[i] !== 255) continue;
      expect([...clean.data.subarray(i * 3, i * 3 + 3)]).toEqual([...photo.data.subarray(i * 3, i * 3 + 3)]);
    }
  });

  it("keeps nothing of the wall far from the product", () => {
    expect([...clean.data.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  it("makes nothing of an empty matte", () => {
    const empty = { ...alpha, data: new Uint8Array(alpha.data.length) };
    expect(decontaminate(photo, empty).data.every((value) => value === 0)).toBe(true);
  });
});
