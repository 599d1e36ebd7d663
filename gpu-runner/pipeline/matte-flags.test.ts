import { describe, expect, it } from "vitest";
import { frameContact, productParts, translucency } from "./matte-flags.ts";
import type { Alpha } from "./raster.ts";

const SIDE = 100;

interface Patch {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly level?: number;
}

function matte(...patches: readonly Patch[]): Alpha {
  const data = new Uint8Array(SIDE * SIDE);
  for (const { x, y, width, height, level = 255 } of patches) {
    for (let row = y; row < y + height; row++) data.fill(level, row * SIDE + x, row * SIDE + x + width);
  }
  return { width: SIDE, height: SIDE, data };
}

describe("productParts", () => {
  it("lists what stands apart, largest first, with its share of the picture", () => {
    const [small, large] = [
      { x: 70, y: 70, width: 10, height: 20 },
      { x: 10, y: 10, width: 40, height: 30 },
    ];
    expect(productParts(matte(small, large))).toEqual([
      { box: large, share: 0.12 },
      { box: small, share: 0.02 },
    ]);
  });

  it("counts a small loose piece for no second product", () => {
    const parts = productParts(
      matte({ x: 10, y: 10, width: 60, height: 60 }, { x: 80, y: 80, width: 5, height: 5 }),
    );
    expect(parts).toHaveLength(1);
  });

  it("finds nothing in an empty matte", () => expect(productParts(matte())).toEqual([]));
});

it("measures how much of each edge of the photo is covered", () => {
  expect(frameContact(matte({ x: 0, y: 60, width: 50, height: 40 }))).toEqual({
    left: 0.4,
    top: 0,
    right: 0,
    bottom: 0.5,
  });
});

describe("translucency", () => {
  const box = { x: 20, y: 20, width: 60, height: 60 };

  it("sees none in a solid product", () => {
    expect(translucency(matte(box), box)).toEqual({ interiorAlpha: 1, softShare: 0 });
  });

  it("does not take a soft edge for glass", () => {
    const edge = { x: 19, y: 19, width: 62, height: 62, level: 128 };
    expect(translucency(matte(edge, box), edge).softShare).toBe(0);
  });

  it("measures a half open inside", () => {
    const { interiorAlpha, softShare } = translucency(
      matte(box, { x: 30, y: 20, width: 30, height: 60, level: 102 }),
      box,
    );
    expect(softShare).toBeGreaterThan(0.4);
    expect(interiorAlpha).toBeGreaterThan(0.6);
    expect(interiorAlpha).toBeLessThan(0.76);
  });

  it("does not count a clear hole as glass", () => {
    const hole = { x: 40, y: 40, width: 20, height: 20, level: 0 };
    expect(translucency(matte(box, hole), box)).toEqual({ interiorAlpha: 1, softShare: 0 });
  });

  it("asks nothing of a product without an inside", () => {
    const thread = { x: 10, y: 50, width: 80, height: 2 };
    expect(translucency(matte(thread), thread)).toMatchObject({ softShare: 0 });
  });
});
