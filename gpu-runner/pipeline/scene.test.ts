import { describe, expect, it } from "vitest";
import { boxWhere } from "./box.ts";
import { compose, darken } from "./compose.ts";
import { compareCore } from "./fidelity.ts";
import { coreMask } from "./matte.ts";
import { type Alpha, newRgb, type Rgb } from "./raster.ts";
import { FLAT_SHADOW, makeShadow, STUDIO_SHADOW } from "./shadow.ts";
import { makeFlatSet, makeStudioSet } from "./studio-set.ts";

const SIZE = { width: 240, height: 200 };
const BOX = { x: 80, y: 40, width: 60, height: 110 };

function solid(width: number, height: number): Alpha {
  return { width, height, data: new Uint8Array(width * height).fill(255) };
}

function textured(width: number, height: number): Rgb {
  const rgb = newRgb(width, height);
  for (let i = 0; i < rgb.data.length; i++) rgb.data[i] = (i * 37) % 256;
  return rgb;
}

describe("makeShadow", () => {
  const shadow = makeShadow(solid(BOX.width, BOX.height), STUDIO_SHADOW);
  const { darkness, room } = shadow;
  const at = (x: number, y: number) => darkness.data[y * darkness.width + room.left + x] ?? 0;

  it("is darkest right under the foot and touches it", () => {
    expect(at(30, BOX.height)).toBeGreaterThan(0.35);
    expect(at(30, BOX.height)).toBeGreaterThan(at(30, BOX.height + 5));
  });

  it("falls to the right, away from the light", () => {
    expect(at(BOX.width + 8, BOX.height - 4)).toBeGreaterThan(at(-8, BOX.height - 4));
  });

  it("ends inside its room and stays between none and black", () => {
    for (let y = 0; y < darkness.height; y++) expect(at(-room.left, y)).toBe(0);
    for (const value of darkness.data) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
  });

  it("is the same each time", () => {
    expect(makeShadow(solid(BOX.width, BOX.height), STUDIO_SHADOW).darkness.data).toEqual(darkness.data);
  });

  it("only touches the ground on a flat colour", () => {
    const flat = makeShadow(solid(BOX.width, BOX.height), FLAT_SHADOW).darkness;
    const visible = boxWhere(flat, (i) => (flat.data[i] ?? 0) > 0.03);
    expect(visible?.y).toBeGreaterThan(BOX.height / 2);
  });

  it("copes with a product of one pixel", () => {
    expect(makeShadow(solid(1, 1), STUDIO_SHADOW).darkness.data.every(Number.isFinite)).toBe(true);
  });
});

describe("makeStudioSet", () => {
  const set = makeStudioSet(SIZE, { product: BOX, colour: "#e9e5df", seed: 3 });
  const brightness = (x: number, y: number) => set.data[(y * SIZE.width + x) * 3 + 1] ?? 0;

  it("is the same for the same seed and another for another", () => {
    expect(makeStudioSet(SIZE, { product: BOX, colour: "#e9e5df", seed: 3 }).data).toEqual(set.data);
    expect(makeStudioSet(SIZE, { product: BOX, colour: "#e9e5df", seed: 4 }).data).not.toEqual(set.data);
  });

  it("bends from wall to floor without a line", () => {
    for (let y = 1; y < SIZE.height; y++) {
      expect(Math.abs(brightness(10, y) - brightness(10, y - 1))).toBeLessThan(0.012);
    }
  });

  it("is lit from the left and brighter behind the product than in the corner", () => {
    expect(brightness(20, 20)).toBeGreaterThan(brightness(220, 20));
    expect(brightness(110, 60)).toBeGreaterThan(brightness(239, 0));
  });
});

describe("compose", () => {
  const product = textured(BOX.width, BOX.height);
  const alpha = solid(BOX.width, BOX.height);

  it("copies opaque pixels exactly, over any background and grain", () => {
    const set = makeStudioSet(SIZE, { product: BOX, colour: "#203040", seed: 1 });
    darken(set, makeShadow(alpha, STUDIO_SHADOW), BOX);
    const placed = compose(set, { colour: product, alpha }, BOX, { seed: 1, levels: 2 });
    const proof = compareCore(placed, BOX, product, coreMask(alpha, 2));
    expect(proof).toEqual({ corePixels: 56 * 106, maxAbsDifference: 0, meanAbsDifference: 0 });
  });

  it("keeps a flat colour exact without grain", () => {
    const placed = compose(makeFlatSet(SIZE, "#f4f1ea"), { colour: product, alpha }, BOX, {
      seed: 0,
      levels: 0,
    });
    expect([...placed.data.subarray(0, 3)]).toEqual([0xf4, 0xf1, 0xea]);
  });

  it("mixes soft edges in linear light, which is brighter than a mix of levels", () => {
    const half = { ...alpha, data: new Uint8Array(alpha.data.length).fill(128) };
    const white = { ...product, data: new Uint8Array(product.data.length).fill(255) };
    const placed = compose(makeFlatSet(SIZE, "#000000"), { colour: white, alpha: half }, BOX, {
      seed: 0,
      levels: 0,
    });
    expect(placed.data[(BOX.y * SIZE.width + BOX.x) * 3]).toBe(188);
  });
});

it("notices a changed product", () => {
  const product = textured(BOX.width, BOX.height);
  const changed = { ...product, data: Uint8Array.from(product.data) };
  const middle = (55 * BOX.width + 30) * 3;
  changed.data[middle] = ((changed.data[middle] ?? 0) + 5) % 256;
  const proof = compareCore(
    changed,
    { ...BOX, x: 0, y: 0 },
    product,
    coreMask(solid(BOX.width, BOX.height), 2),
  );
  expect(proof.maxAbsDifference).toBeGreaterThanOrEqual(5);
});
