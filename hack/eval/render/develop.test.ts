import { expect, it } from "vitest";
import { toLinear } from "../../../gpu-runner/pipeline/linear-light.ts";
import { develop, type RenderedLayer } from "./develop.ts";

/** 2 × 2, given from the top. */
const layer = (...rows: readonly (readonly number[])[]): RenderedLayer => ({
  width: 2,
  height: 2,
  data: Float32Array.from([...rows.slice(2), ...rows.slice(0, 2)].flat()),
});

const clear = [0, 0, 0, 0];
const grey = [0.5, 0.5, 0.5, 1];

it("turns rows upright and composes the photo in linear light", () => {
  // Half-covered by pure red on the upper left, premultiplied.
  const product = layer([0.25, 0, 0, 0.5], clear, clear, clear);
  const { photo, alpha, colour, plate } = develop(product, layer(grey, grey, grey, grey), "bottle");
  expect([...alpha.data]).toEqual([128, 0, 0, 0]);
  const [red, green] = [colour.data[0] ?? 0, colour.data[1]];
  expect(green).toBe(0);
  expect(colour.data[3]).toBe(0);
  const wanted = (toLinear(red) * 128 + toLinear(plate.data[0] ?? 0) * 127) / 255;
  expect(toLinear(photo.data[0] ?? 0)).toBeCloseTo(wanted, 2);
  expect(photo.data[3]).toBe(plate.data[3]);
});

it("exposes every photo alike, whatever the light", () => {
  const product = layer(clear, clear, clear, clear);
  const scene = (light: number) => {
    const pixel = [light, light, light, 1];
    return develop(product, layer(pixel, pixel, pixel, pixel), "bottle").photo.data;
  };
  expect(scene(0.05)).toEqual(scene(7));
  expect(toLinear(scene(7)[0] ?? 0)).toBeCloseTo(0.7, 2);
});
