import { expect, it } from "vitest";
import { RINGING_PIXELS, whiteShare } from "./background.ts";
import type { WrittenFile } from "./written-file.ts";

const SIDE = 64;
const file = (isWhite: (x: number, y: number) => boolean): WrittenFile => ({
  format: "png",
  width: SIDE,
  height: SIDE,
  bytes: 1,
  hasAlpha: false,
  profile: "sRGB",
  sourceType: undefined,
  namesPlace: false,
  rgb: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return isWhite(pixel % SIDE, Math.floor(pixel / SIDE)) ? 255 : 254;
  }),
});

/** Two single pixels, one at the edge. */
const silhouette = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE) };
silhouette.data[30 * SIDE + 20] = 255;
silhouette.data[5 * SIDE + SIDE - 1] = 9;

const isNear = (reach: number) => (x: number, y: number) =>
  (Math.abs(x - 20) <= reach && Math.abs(y - 30) <= reach) ||
  (Math.abs(x - SIDE + 1) <= reach && Math.abs(y - 5) <= reach);

it("counts every pixel beyond the ringing round the product, and none within", () => {
  const at = isNear(RINGING_PIXELS);
  expect(
    whiteShare(
      file((x, y) => !at(x, y)),
      silhouette,
    ),
  ).toBe(1);
  const further = isNear(RINGING_PIXELS + 1);
  expect(
    whiteShare(
      file((x, y) => !further(x, y)),
      silhouette,
    ),
  ).toBeLessThan(1);
  expect(whiteShare(file(at), silhouette)).toBe(0);
});

it("is none for a silhouette of another size", () => {
  expect(
    whiteShare(
      file(() => true),
      { width: 1, height: 1, data: new Uint8Array(1) },
    ),
  ).toBe(0);
});
