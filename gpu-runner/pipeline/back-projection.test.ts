import { describe, expect, it } from "vitest";
import { backProject } from "./back-projection.ts";
import { randomAt } from "./noise.ts";
import { cropBytes, newRgb, type Rgb } from "./raster.ts";

function picture(width: number, height: number, level: (x: number, y: number, c: number) => number): Rgb {
  const rgb = newRgb(width, height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) rgb.data[i++] = Math.round(level(x, y, c));
  return rgb;
}

/** Means over blocks: what a correct enlargement has in common with the small picture. */
function blockMeanError(large: Rgb, small: Rgb, factor: number): number {
  let worst = 0;
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < factor; dy++)
          for (let dx = 0; dx < factor; dx++)
            sum += large.data[((y * factor + dy) * large.width + x * factor + dx) * 3 + c] ?? 0;
        worst = Math.max(
          worst,
          Math.abs(sum / factor ** 2 - (small.data[(y * small.width + x) * 3 + c] ?? 0)),
        );
      }
    }
  }
  return worst;
}

const waves = (x: number, y: number, c: number) => 128 + 40 * Math.sin(x / 3 + c) + 40 * Math.cos(y / 4);
/** As `backProject` leaves it. */
function matched(large: Rgb, small: Rgb, factor: number): Rgb {
  backProject(large, small, factor);
  return large;
}

const repeated = ({ width, height, data }: Rgb, factor: number, cast: number) =>
  picture(width * factor, height * factor, (x, y, c) => {
    const at = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 3 + c;
    return (data[at] ?? 0) + cast;
  });

describe.each([2, 4])("backProject, ×%i", (factor) => {
  it("takes a cast away that the enlargement put in", () => {
    const small = picture(30, 20, waves);
    expect(blockMeanError(matched(repeated(small, factor, 9), small, factor), small, factor)).toBeLessThan(4);
    const flat = picture(30, 20, () => 100);
    const mended = matched(repeated(flat, factor, 9), flat, factor);
    expect(mended.data.every((level) => level === 100)).toBe(true);
  });

  it("keeps an enlargement that agrees", () => {
    const flat = picture(9, 7, (_x, _y, c) => 50 + 60 * c);
    expect(matched(repeated(flat, factor, 0), flat, factor)).toEqual(repeated(flat, factor, 0));
  });

  it("looks no further than twenty pixels, so that parts equal the whole", () => {
    const small = picture(60, 150, (x, y, c) => 255 * randomAt(1, x + 60 * c, y));
    const large = picture(60 * factor, 150 * factor, (x, y, c) => 255 * randomAt(2, x + 240 * c, y));
    const part = { x: 5, y: 30, width: 50, height: 100 };
    const inLarge = { x: 5 * factor, y: 30 * factor, width: 50 * factor, height: 100 * factor };
    const alone = matched(cropBytes(large, inLarge, 3), cropBytes(small, part, 3), factor);
    const whole = matched(large, small, factor);
    const core = { x: 25, y: 50, width: 10, height: 60 };
    const inner = (box: typeof core, dx: number, dy: number) => ({
      x: (box.x - dx) * factor,
      y: (box.y - dy) * factor,
      width: box.width * factor,
      height: box.height * factor,
    });
    expect(cropBytes(alone, inner(core, part.x, part.y), 3)).toEqual(cropBytes(whole, inner(core, 0, 0), 3));
  });

  it("corrects what lies over a part as it would in the whole, and nothing else", () => {
    const small = picture(60, 50, (x, y, c) => 255 * randomAt(1, x + 60 * c, y));
    const large = picture(60 * factor, 50 * factor, (x, y, c) => 255 * randomAt(2, x + 240 * c, y));
    const before = { ...large, data: large.data.slice() };
    const whole = matched({ ...large, data: large.data.slice() }, small, factor);
    const part = { x: 30, y: 0, width: 17, height: 33 };
    backProject(large, small, factor, part);
    for (let y = 0, i = 0; y < large.height; y++) {
      for (let x = 0; x < large.width * 3; x++, i++) {
        const [column, row] = [Math.floor(x / 3 / factor) - part.x, Math.floor(y / factor) - part.y];
        const isInside = column >= 0 && column < part.width && row >= 0 && row < part.height;
        if (large.data[i] !== (isInside ? whole : before).data[i]) {
          expect.fail(`pixel ${Math.floor(x / 3)}, ${y} is not as it should be`);
        }
      }
    }
  });
});
