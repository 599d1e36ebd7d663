import { describe, expect, it } from "vitest";
import type { Cutout } from "../pipeline/compose.ts";
import { measureCutout } from "./measure.ts";

const SIDE = 160;

interface Look {
  /** Level of the product's pixels. */
  readonly level: (x: number, y: number) => number;
  /** Opacity by the distance from the middle. */
  readonly opacity: (radius: number) => number;
}

/** A round product in the middle of the picture. */
function aCutout({ level, opacity }: Look): Cutout {
  const colour = new Uint8Array(3 * SIDE * SIDE);
  const alpha = new Uint8Array(SIDE * SIDE);
  for (let i = 0; i < alpha.length; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    colour.fill(Math.round(level(x, y)), 3 * i, 3 * i + 3);
    alpha[i] = Math.round(opacity(Math.hypot(x - SIDE / 2, y - SIDE / 2)));
  }
  return {
    colour: { width: SIDE, height: SIDE, data: colour },
    alpha: { width: SIDE, height: SIDE, data: alpha },
  };
}

const hard = (radius: number) => (radius < 60 ? 255 : 0);
/** Runs from solid to nothing over `width` pixels. */
const soft = (width: number) => (radius: number) =>
  255 * Math.min(1, Math.max(0, (60 + width / 2 - radius) / width));
/** Upright stripes, 16 pixels each, whose edges were blurred by a Gaussian of `sigma`. */
const stripes = (sigma: number) => (x: number) => {
  const toEdge = Math.abs((x % 32) - 15.5) - 8;
  return 128 + 100 * Math.tanh(toEdge / Math.max(0.2, 1.25 * sigma));
};

describe("measureCutout", () => {
  it("tells how wide the edge runs off", () => {
    const flat = () => 120;
    const widths = [4, 12, 24].map(
      (width) => measureCutout(aCutout({ level: flat, opacity: soft(width) }), []).edgeBandPixels,
    );
    expect(measureCutout(aCutout({ level: flat, opacity: hard }), []).edgeBandPixels).toBe(0);
    for (const [i, width] of [4, 12, 24].entries()) {
      expect(widths[i]).toBeGreaterThan(0.8 * width);
      expect(widths[i]).toBeLessThan(1.4 * width);
    }
  });

  it("tells blur whatever the contrast, and nothing where there is no edge", () => {
    const blurOf = (sigma: number, contrast = 1) =>
      measureCutout(aCutout({ level: (x) => 128 + contrast * (stripes(sigma)(x) - 128), opacity: hard }), []);
    const sharp = blurOf(0.2).blurPixels ?? NaN;
    const faint = blurOf(0.2, 0.4).blurPixels ?? NaN;
    const blurry = blurOf(3).blurPixels ?? NaN;
    expect(sharp).toBeLessThan(0.5);
    expect(Math.abs(faint - sharp)).toBeLessThan(0.05);
    expect(blurry).toBeGreaterThan(1.2);
    expect(blurOf(0.2).laplacianVariance).toBeGreaterThan(20 * blurOf(3).laplacianVariance);
    expect(measureCutout(aCutout({ level: () => 90, opacity: hard }), []).blurPixels).toBeUndefined();
  });

  it("counts what is burnt out and what is black, in the product alone", () => {
    const half = measureCutout(aCutout({ level: (x) => (x < SIDE / 2 ? 255 : 0), opacity: hard }), []);
    expect(half.burntShare).toBeCloseTo(0.5, 1);
    expect(half.blackShare).toBeCloseTo(0.5, 1);
    const grey = measureCutout(aCutout({ level: () => 128, opacity: hard }), []);
    expect(grey).toMatchObject({ burntShare: 0, blackShare: 0, solidShare: 1 });
  });

  it("tells a ghost from a product", () => {
    expect(measureCutout(aCutout({ level: () => 128, opacity: () => 90 }), []).solidShare).toBe(0);
  });
});
