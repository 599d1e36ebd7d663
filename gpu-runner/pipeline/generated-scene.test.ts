import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colourWord } from "./colour-words.ts";
import { distanceTo } from "./distance.ts";
import { expansionOf } from "./expansion.ts";
import type { Alpha, Rgb } from "./raster.ts";
import { planCanvas, usualSizes } from "./scene-canvas.ts";
import { paintMask } from "./scene-mask.ts";
import { continueBehind } from "./surroundings.ts";

/** A matte of 40 × 40 with an opaque block in it. */
function block(x: number, y: number, width: number, height: number): Alpha {
  const data = new Uint8Array(1600);
  for (let row = y; row < y + height; row++) data.fill(255, row * 40 + x, row * 40 + x + width);
  return { width: 40, height: 40, data };
}

describe("planCanvas", () => {
  const sizes = [
    { width: 512, height: 512 },
    { width: 592, height: 448 },
    { width: 384, height: 688 },
  ];

  it("takes the size whose ratio is nearest", () => {
    expect(planCanvas({ width: 1000, height: 1000 }, sizes)).toEqual({
      size: sizes[0],
      inner: { x: 0, y: 0, width: 512, height: 512 },
    });
    expect(planCanvas({ width: 900, height: 1600 }, sizes).size).toBe(sizes[2]);
    expect(planCanvas({ width: 1200, height: 900 }, sizes).size).toBe(sizes[1]);
  });

  it("never stretches a scene and never lets it leave the picture", () => {
    const side = fc.integer({ min: 40, max: 4000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const { size, inner } = planCanvas({ width, height }, sizes);
        expect(inner.x).toBeGreaterThanOrEqual(0);
        expect(inner.y).toBeGreaterThanOrEqual(0);
        expect(inner.x + inner.width).toBeLessThanOrEqual(size.width);
        expect(inner.y + inner.height).toBeLessThanOrEqual(size.height);
        const scale = Math.min(size.width / width, size.height / height);
        expect(Math.abs(inner.width - width * scale)).toBeLessThanOrEqual(1);
        expect(Math.abs(inner.height - height * scale)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("has usual sizes of about the native area in steps of the network", () => {
    for (const { width, height } of usualSizes(512, 64)) {
      expect([width % 64, height % 64]).toEqual([0, 0]);
      expect((width * height) / 512 ** 2).toBeGreaterThan(0.85);
      expect((width * height) / 512 ** 2).toBeLessThan(1.2);
    }
  });
});

it("measures distances to the nearest pixel", () => {
  const { data } = distanceTo(block(10, 10, 5, 5), 128);
  expect(data[12 * 40 + 12]).toBe(0);
  expect(data[12 * 40 + 20]).toBe(6);
  expect(data[12 * 40 + 2]).toBe(8);
  expect(data[20 * 40 + 20]).toBeCloseTo(6 * Math.SQRT2, 5);
});

it("paints the whole scene where its edge fades inside the product", () => {
  const mask = paintMask(block(8, 8, 24, 24), 8, "inside");
  const cell = (x: number, y: number) => mask.data[(y * 8 + 3) * 40 + x * 8 + 3];
  expect([cell(0, 0), cell(4, 2)]).toEqual([255, 255]);
  expect(cell(2, 2)).toBe(0);
  expect(cell(1, 2)).toBe(cell(3, 2));
  expect(cell(1, 2)).toBeGreaterThan(60);
  expect(cell(1, 2)).toBeLessThan(180);
});

it("paints everything but the product where its edge fades outside of it", () => {
  const mask = paintMask(block(8, 8, 16, 16), 8, "outside");
  const cell = (x: number, y: number) => mask.data[(y * 8 + 3) * 40 + x * 8 + 3];
  expect([cell(1, 1), cell(2, 2)]).toEqual([0, 0]);
  expect(cell(0, 1)).toBe(cell(3, 1));
  expect(cell(0, 1)).toBeGreaterThan(100);
  expect(cell(0, 1)).toBeLessThan(180);
  expect(cell(4, 1)).toBe(255);
  for (let i = 0; i < 64; i++) expect(mask.data[Math.floor(i / 8) * 40 + (i % 8)]).toBe(cell(0, 0));
});

describe("continueBehind", () => {
  const flat = (level: number): Rgb => ({ width: 40, height: 40, data: new Uint8Array(4800).fill(level) });

  it("leaves nothing of what was painted at the product's place", () => {
    const product = block(15, 15, 8, 8);
    const picture = flat(90);
    for (let i = 0; i < 1600; i++) if (product.data[i] === 255) picture.data.fill(255, i * 3, i * 3 + 3);
    const { data } = continueBehind(picture, product, { solid: 3, feather: 2 });
    expect(Math.max(...data)).toBe(90);
    expect(Math.min(...data)).toBe(90);
  });

  it("goes smoothly from one side to the other, and changes nothing far away", () => {
    const picture = flat(0);
    for (let i = 0; i < 1600; i++) picture.data.fill(3 * (i % 40), i * 3, i * 3 + 3);
    const { data } = continueBehind(picture, block(12, 12, 16, 16), { solid: 2, feather: 3 });
    const row = Array.from({ length: 40 }, (_, x) => data[(20 * 40 + x) * 3] ?? 0);
    for (let x = 1; x < 40; x++) expect((row[x] ?? 0) - (row[x - 1] ?? 0)).toBeLessThan(9);
    expect(row.slice(0, 6)).toEqual([0, 3, 6, 9, 12, 15]);
  });

  it("keeps a picture that holds nothing else", () => {
    const picture = flat(7);
    const product = block(0, 0, 40, 40);
    expect(continueBehind(picture, product, { solid: 3, feather: 2 })).toBe(picture);
  });
});

describe("expansionOf", () => {
  const product = block(10, 10, 20, 10);

  it.each([
    { what: "the same", seen: product, share: 0 },
    { what: "less", seen: block(12, 12, 5, 5), share: 0 },
    { what: "a growth at its side", seen: block(10, 10, 22, 10), share: 0.1 },
    { what: "something that stands apart", seen: block(2, 30, 8, 8), share: 0 },
    { what: "something that touches it", seen: block(0, 20, 40, 5), share: 1 },
  ])("is $share for $what", ({ seen, share }) => {
    expect(expansionOf(product, seen)).toBeCloseTo(share, 6);
  });
});

it("calls colours by their usual names", () => {
  const named = ["#ffffff", "#f4f1ea", "#102040", "#c0c0c0", "#b5533c", "#a8b896", "#000000", "#e8b4bc"];
  expect(named.map(colourWord)).toEqual([
    "white",
    "white",
    "navy blue",
    "light grey",
    "terracotta",
    "sage green",
    "black",
    "pink",
  ]);
});
