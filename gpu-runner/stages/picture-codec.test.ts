import { describe, expect, it } from "vitest";
import { resizeAlpha, resizeRgb } from "./picture-codec.ts";

const SIZE = { width: 24, height: 16 };

/** Grows by 8 a pixel across and by 3 down; smooth, so that every interpolator agrees on it. */
const levelAt = (x: number, y: number) => 20 + 8 * x + 3 * y;

function aRamp(channels: number): Uint8Array {
  const data = new Uint8Array(SIZE.width * SIZE.height * channels);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / channels);
    data[i] = levelAt(pixel % SIZE.width, Math.floor(pixel / SIZE.width));
  }
  return data;
}

/** Levels: less than half a pixel of the result is worth on the ramp; each rounding to whole levels costs a half. */
const SIZES = [
  { width: 48, height: 32, within: 0.75 },
  { width: 96, height: 64, within: 0.75 },
  { width: 60, height: 40, within: 1.25 },
  { width: 12, height: 8, within: 0.75 },
  { width: 96, height: 8, within: 0.75 },
];

describe.each(SIZES)("a ramp resized to $width x $height", (to) => {
  /** Largest difference in levels from the ramp itself, away from the borders. */
  function difference(data: Uint8Array, channels: number): number {
    let largest = 0;
    const [across, down] = [to.width / SIZE.width, to.height / SIZE.height];
    const edge = { x: Math.ceil(4 * across), y: Math.ceil(4 * down) };
    for (let y = edge.y; y < to.height - edge.y; y++) {
      for (let x = edge.x; x < to.width - edge.x; x++) {
        const wanted = levelAt((x + 0.5) / across - 0.5, (y + 0.5) / down - 0.5);
        const is = data[(y * to.width + x) * channels] ?? 0;
        largest = Math.max(largest, Math.abs(is - wanted));
      }
    }
    return largest;
  }

  it("stays where it was, in colour", async () => {
    const resized = await resizeRgb({ ...SIZE, data: aRamp(3) }, to);
    expect(resized).toMatchObject({ width: to.width, height: to.height });
    expect(resized.data).toHaveLength(to.width * to.height * 3);
    expect(difference(resized.data, 3)).toBeLessThanOrEqual(to.within);
  });

  it("stays where it was, as alpha", async () => {
    const resized = await resizeAlpha({ ...SIZE, data: aRamp(1) }, to);
    expect(resized.data).toHaveLength(to.width * to.height);
    expect(difference(resized.data, 1)).toBeLessThanOrEqual(to.within);
  });
});
