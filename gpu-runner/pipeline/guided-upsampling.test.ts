import { describe, expect, it } from "vitest";
import { guidedUpsampling } from "./guided-upsampling.ts";
import { newPlane, newRgb, type Plane, type Rgb } from "./raster.ts";
import { resizePlane, shrinkPlane } from "./resample.ts";

const FACTOR = 3;
const SIDE = 120;

type Shape = (x: number, y: number) => number;

/** A product of one colour before another, each pixel a mix of both. */
function photographed(shape: Shape, product: readonly number[], place: readonly number[]): Rgb {
  const photo = newRgb(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const opacity = shape(i % SIDE, Math.floor(i / SIDE));
    for (let c = 0; c < 3; c++) {
      photo.data[i * 3 + c] = Math.round(opacity * (product[c] ?? 0) + (1 - opacity) * (place[c] ?? 0));
    }
  }
  return photo;
}

function drawn(shape: Shape): Plane {
  const plane = newPlane(SIDE, SIDE);
  for (let i = 0; i < plane.data.length; i++) plane.data[i] = shape(i % SIDE, Math.floor(i / SIDE));
  return plane;
}

function shrunk(photo: Rgb): Rgb {
  const small = newRgb(SIDE / FACTOR, SIDE / FACTOR);
  for (let c = 0; c < 3; c++) {
    const channel = { ...newPlane(SIDE, SIDE), data: Float32Array.from({ length: SIDE ** 2 }, (_, i) => photo.data[i * 3 + c] ?? 0) }; // prettier-ignore
    shrinkPlane(channel, FACTOR).data.forEach((level, i) => (small.data[i * 3 + c] = Math.round(level)));
  }
  return small;
}

const meanDifference = (a: Plane, b: Plane) =>
  a.data.reduce((sum, score, i) => sum + Math.abs(score - (b.data[i] ?? 0)), 0) / a.data.length;

const disc: Shape = (x, y) => Math.max(0, Math.min(1, 40.5 - Math.hypot(x - 59.5, y - 59.5)));
const [TEAL, SAND] = [
  [30, 130, 120],
  [220, 200, 170],
] as const;

describe("guidedUpsampling", () => {
  it("finds an edge of the photo that the model saw made smaller", () => {
    const truth = drawn(disc);
    const photo = photographed(disc, TEAL, SAND);
    const scores = shrinkPlane(truth, FACTOR);
    const plain = resizePlane(scores, SIDE, SIDE);
    const guided = guidedUpsampling(scores, shrunk(photo), photo);
    expect(meanDifference(guided, truth)).toBeLessThan(0.3 * meanDifference(plain, truth));
  });

  it("goes by the scores alone where the photo shows no edge", () => {
    const photo = photographed(disc, SAND, SAND);
    const scores = shrinkPlane(drawn(disc), FACTOR);
    const guided = guidedUpsampling(scores, shrunk(photo), photo);
    expect(meanDifference(guided, resizePlane(scores, SIDE, SIDE))).toBeLessThan(0.006);
  });

  it("takes no pattern of the product or the place for an edge", () => {
    const striped: Shape = (x, y) => (disc(x, y) + (x % 12 < 6 ? 0 : 1)) / 2;
    const photo = photographed(striped, TEAL, SAND);
    const inside = drawn((x, y) => (Math.hypot(x - 59.5, y - 59.5) < 26 ? 1 : 0));
    const guided = guidedUpsampling(shrinkPlane(drawn(disc), FACTOR), shrunk(photo), photo);
    for (let i = 0; i < SIDE * SIDE; i++) if (inside.data[i] === 1) expect(guided.data[i]).toBeCloseTo(1, 5);
  });

  it("stays between 0 and 1, and leaves scores alone that are hardly enlarged", () => {
    const photo = photographed(disc, TEAL, SAND);
    const { data } = guidedUpsampling(shrinkPlane(drawn(disc), FACTOR), shrunk(photo), photo);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...data)).toBeLessThanOrEqual(1);
    const truth = drawn(disc);
    expect(guidedUpsampling(truth, photo, photo)).toEqual(resizePlane(truth, SIDE, SIDE));
  });
});
