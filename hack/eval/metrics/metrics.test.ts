import { describe, expect, it } from "vitest";
import type { Alpha, Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { boundaryF } from "./boundary.ts";
import { deltaE00, type Lab } from "../../../gpu-runner/pipeline/colour-difference.ts";
import { srgbToLab } from "./colour-spaces.ts";
import { gradientError } from "./gradient-error.ts";
import { edgeBand, haloError } from "./halo.ts";
import { findHoles, holesFound } from "./holes.ts";
import { BICUBIC, interpolate, LANCZOS_3 } from "./interpolate.ts";
import { bandError, iou, meanAbsoluteError } from "./matte-error.ts";
import { brightnessPsnr, largestDifference, seamRatio } from "./sharpness.ts";

const matte = (width: number, ...levels: number[]): Alpha => ({
  width,
  height: levels.length / width,
  data: Uint8Array.from(levels),
});

function drawn(width: number, height: number, level: (x: number, y: number) => number): Alpha {
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) data[i] = level(i % width, Math.floor(i / width));
  return { width, height, data };
}

const grey = ({ width, height, data }: Alpha): Rgb => ({
  width,
  height,
  data: Uint8Array.from({ length: data.length * 3 }, (_, i) => data[Math.floor(i / 3)] ?? 0),
});

describe("matte errors", () => {
  const exact = matte(4, 255, 255, 102, 0);
  const got = matte(4, 255, 0, 153, 0);

  it("counts half-opaque pixels for the overlap", () => {
    // Exact: pixels 0 and 1; got: 0 and 2. One shared of three.
    expect(iou(got, exact)).toBeCloseTo(1 / 3, 10);
    expect(iou(matte(1, 0), matte(1, 0))).toBe(1);
  });

  it("averages the error over the picture, and over the soft edge alone", () => {
    expect(meanAbsoluteError(got, exact)).toBeCloseTo((1 + 51 / 255) / 4, 10);
    expect(bandError(got, exact)).toBeCloseTo(0.2, 10);
    expect(bandError(got, matte(2, 0, 255))).toBeUndefined();
  });

  it("measures the slopes of edges", () => {
    const ramp = drawn(30, 30, (x) => 8 * x);
    const flat = drawn(30, 30, () => 120);
    expect(gradientError(ramp, ramp)).toBe(0);
    // Away from the frame a ramp of 8 levels a pixel has the slope 8/255; five columns a side see the frame.
    const inner = (20 * 30 * (8 / 255) ** 2) / 1000;
    const all = (30 * 30 * (8 / 255) ** 2) / 1000;
    expect(gradientError(ramp, flat)).toBeGreaterThan(inner);
    expect(gradientError(ramp, flat)).toBeLessThan(all);
  });
});

describe("outlines", () => {
  const square = (left: number) =>
    drawn(40, 40, (x, y) => (x >= left && x < left + 10 && y >= 10 && y < 20 ? 255 : 0));

  it("agree within two pixels", () => {
    expect(boundaryF(square(10), square(10), 2)).toBe(1);
    expect(boundaryF(square(12), square(10), 2)).toBe(1);
    expect(boundaryF(square(25), square(10), 2)).toBe(0);
  });

  it("count the part that agrees", () => {
    // Moved by 4: of 36 outline pixels the top and bottom rows from x = 12 to 19 agree (2 × 8), and at the sides
    // what lies within 2 pixels of those rows.
    const f = boundaryF(square(14), square(10), 2);
    expect(f).toBeGreaterThan(16 / 36);
    expect(f).toBeLessThan(1);
  });

  it("do not run along the picture's frame", () => {
    const cut = drawn(20, 20, (x) => (x < 10 ? 255 : 0));
    expect(boundaryF(cut, cut, 2)).toBe(1);
  });
});

describe("holes", () => {
  const ringed = (inner: number) =>
    drawn(60, 60, (x, y) => {
      const r = Math.hypot(x - 30, y - 30);
      return r < 25 && r > inner ? 255 : 0;
    });

  it("are clear parts that the product closes in", () => {
    const holes = findHoles(ringed(10));
    expect(holes).toHaveLength(1);
    expect(holes[0]?.pixels.length).toBeGreaterThan(300);
    expect(findHoles(ringed(-1))).toHaveLength(0);
    expect(findHoles(ringed(3))).toHaveLength(0);
  });

  it("are found when most of them is clear", () => {
    const holes = findHoles(ringed(10));
    expect(holesFound(ringed(10), holes)).toBe(1);
    expect(holesFound(ringed(8), holes)).toBe(1);
    expect(holesFound(ringed(6), holes)).toBe(0);
  });

  it("are open: what glass lets through is none", () => {
    const solid = ringed(10);
    const glass = { ...solid, data: solid.data.map((level) => Math.max(level, 40)) };
    expect(findHoles(glass)).toHaveLength(0);
  });

  it("end at the frame", () => {
    expect(findHoles(drawn(40, 40, (x) => (x > 20 ? 255 : 0)))).toHaveLength(0);
  });
});

describe("halo", () => {
  const alpha = matte(7, 255, 255, 255, 128, 0, 0, 0);
  const red = {
    width: 7,
    height: 1,
    data: Uint8Array.from({ length: 21 }, (_, i) => (i % 3 === 0 ? 200 : 10)),
  };

  it("is nothing for the exact cut-out", () => {
    expect(haloError({ colour: red, alpha }, { colour: red, alpha }, edgeBand({ colour: red, alpha }))).toBe(
      0,
    );
  });

  it("is the mean squared difference on three backgrounds round the soft edge", () => {
    const clear = { ...alpha, data: new Uint8Array(7) };
    const white = { ...red, data: new Uint8Array(21).fill(255) };
    const band = edgeBand({ colour: white, alpha });
    expect([...band]).toEqual([0, 1, 1, 1, 1, 1, 0]);
    // Nothing where half a white pixel should be, and where two solid ones should: only the dark page and the
    // coloured one show it. Solid white on (24, 24, 28): 231, 231, 227; on (200, 40, 160): 55, 215, 95.
    const solid = 2 * (231 ** 2 * 2 + 227 ** 2 + 55 ** 2 + 215 ** 2 + 95 ** 2);
    const error = haloError({ colour: white, alpha: clear }, { colour: white, alpha }, band) ?? 0;
    expect(error).toBeGreaterThan(Math.sqrt(solid / 45));
    expect(error).toBeLessThan(Math.sqrt((1.5 * solid) / 45));
  });
});

/** Sharma, Wu, Dalal: the published pairs. */
const PAIRS: readonly (readonly [Lab, Lab, number])[] = [
  [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
  [[50, 3.1571, -77.2803], [50, 0, -82.7485], 2.8615],
  [[50, 2.8361, -74.02], [50, 0, -82.7485], 3.4412],
  [[50, -1.3802, -84.2814], [50, 0, -82.7485], 1.0],
  [[50, -1.1848, -84.8006], [50, 0, -82.7485], 1.0],
  [[50, -0.9009, -85.5211], [50, 0, -82.7485], 1.0],
  [[50, 0, 0], [50, -1, 2], 2.3669],
  [[50, -1, 2], [50, 0, 0], 2.3669],
  [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
  [[50, 2.49, -0.001], [50, -2.49, 0.001], 7.1792],
  [[50, 2.49, -0.001], [50, -2.49, 0.0011], 7.2195],
  [[50, 2.49, -0.001], [50, -2.49, 0.0012], 7.2195],
  [[50, -0.001, 2.49], [50, 0.0009, -2.49], 4.8045],
  [[50, -0.001, 2.49], [50, 0.001, -2.49], 4.8045],
  [[50, -0.001, 2.49], [50, 0.0011, -2.49], 4.7461],
  [[50, 2.5, 0], [50, 0, -2.5], 4.3065],
  [[50, 2.5, 0], [73, 25, -18], 27.1492],
  [[50, 2.5, 0], [61, -5, 29], 22.8977],
  [[50, 2.5, 0], [56, -27, -3], 31.903],
  [[50, 2.5, 0], [58, 24, 15], 19.4535],
  [[50, 2.5, 0], [50, 3.1736, 0.5854], 1.0],
  [[50, 2.5, 0], [50, 3.2972, 0], 1.0],
  [[50, 2.5, 0], [50, 1.8634, 0.5757], 1.0],
  [[50, 2.5, 0], [50, 3.2592, 0.335], 1.0],
  [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
  [[63.0109, -31.0961, -5.8663], [62.8187, -29.7946, -4.0864], 1.263],
  [[61.2901, 3.7196, -5.3901], [61.4292, 2.248, -4.962], 1.8731],
  [[35.0831, -44.1164, 3.7933], [35.0232, -40.0716, 1.5901], 1.8645],
  [[22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373],
  [[36.4612, 47.858, 18.3852], [36.2715, 50.5065, 21.2231], 1.4146],
  [[90.8027, -2.0831, 1.441], [91.1528, -1.6435, 0.0447], 1.4441],
  [[90.9257, -0.5406, -0.9208], [88.6381, -0.8985, -0.7239], 1.5381],
  [[6.7747, -0.2908, -2.4247], [5.8714, -0.0985, -2.2286], 0.6377],
  [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
];

describe("colour difference", () => {
  it.each(PAIRS)("%j and %j differ by %d", (one, other, wanted) => {
    expect(deltaE00(one, other)).toBeCloseTo(wanted, 4);
    expect(deltaE00(other, one)).toBeCloseTo(wanted, 4);
  });

  it("knows sRGB's white, black and red", () => {
    const [l, a, b] = srgbToLab([255, 0, 0]);
    expect([l, a, b].map((value) => Math.round(value * 10) / 10)).toEqual([53.2, 80.1, 67.2]);
    expect(srgbToLab([255, 255, 255])[0]).toBeCloseTo(100, 3);
    expect(srgbToLab([0, 0, 0])[0]).toBeCloseTo(0, 6);
  });
});

describe("enlargements", () => {
  it("are compared by brightness, the border left out", () => {
    const exact = grey(drawn(10, 10, () => 100));
    const got = grey(drawn(10, 10, (x) => (x === 0 ? 0 : 110)));
    expect(brightnessPsnr(got, exact, 1)).toBeCloseTo(10 * Math.log10(255 ** 2 / 100), 10);
    expect(brightnessPsnr(exact, exact, 0)).toBe(Infinity);
    expect(largestDifference(got, exact)).toBe(100);
  });

  it("by plain kernels keep flat colours and straight ramps, and aim at pixel centres", () => {
    const flat = grey(drawn(8, 8, () => 77));
    const ramp = grey(drawn(16, 16, (x) => 10 * x));
    for (const kernel of [LANCZOS_3, BICUBIC]) {
      expect(new Set(interpolate(flat, 2, kernel).data)).toEqual(new Set([77]));
      const large = interpolate(ramp, 2, kernel);
      // Column 15 of 32 lies at 7.25 of 16.
      const level = large.data[(16 * 32 + 15) * 3] ?? 0;
      expect(Math.abs(level - 72.5)).toBeLessThanOrEqual(1);
    }
  });

  it("by Lanczos ring more than by bicubic at a step", () => {
    const step = grey(drawn(16, 16, (x) => (x < 8 ? 60 : 180)));
    const overshoot = (kernel: typeof BICUBIC) =>
      interpolate(step, 4, kernel).data.reduce((most, level) => Math.max(most, level - 180), 0);
    expect(overshoot(LANCZOS_3)).toBeGreaterThan(overshoot(BICUBIC));
  });

  it("show seams as larger steps at the borders of tiles", () => {
    const whole = grey(drawn(64, 8, (x) => 3 * x));
    const seamed = grey(drawn(64, 8, (x) => 3 * x + 4 * Math.floor(x / 16)));
    expect(seamRatio(whole, whole, 16)).toBe(1);
    // 7 instead of 3 levels at each border.
    expect(seamRatio(seamed, whole, 16)).toBeCloseTo(7 / 3, 10);
  });
});
