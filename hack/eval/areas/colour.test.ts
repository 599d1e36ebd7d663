import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { deltaE00 } from "../../../gpu-runner/pipeline/colour-difference.ts";
import { srgbToLab } from "../metrics/colour-spaces.ts";
import { ADOBE_RGB, DISPLAY_P3, fromXyz } from "../metrics/icc-profile.ts";
import { makeBlank } from "./blanks.ts";
import { chartInSpace, chartOf, INK_COLOURS, PATCHES, printFile, readPatches, turnedChart } from "./chart.ts";

describe("the chart", () => {
  it("gives its patches back", () => {
    expect(readPatches(chartOf(PATCHES))).toEqual(PATCHES);
  });

  it("has known values in wider gamuts", () => {
    // White is white everywhere; sRGB's red lies inside both gamuts.
    const white = [0.95047, 1, 1.08883] as const;
    for (const space of [DISPLAY_P3, ADOBE_RGB]) {
      for (const value of fromXyz(space, white)) expect(value).toBeCloseTo(1, 3);
    }
    const red = [0.4124564, 0.2126729, 0.0193339] as const;
    const [r, g, b] = fromXyz(DISPLAY_P3, red);
    expect(r).toBeCloseTo(0.9175, 3);
    expect(g).toBeCloseTo(0.2003, 3);
    expect(b).toBeCloseTo(0.1386, 3);
  });

  it("carries a profile that makes a difference", async () => {
    const file = await chartInSpace(DISPLAY_P3, 8);
    expect((await sharp(file).metadata()).icc?.length).toBeGreaterThan(500);
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    const managed = readPatches({ width: info.width, height: info.height, data });
    const largest = (colours: readonly (readonly [number, number, number])[]) =>
      Math.max(...colours.map((colour, i) => deltaE00(srgbToLab(colour), srgbToLab(PATCHES[i] ?? []))));
    expect(largest(managed)).toBeLessThan(2);
    // The same values taken for sRGB: what a pipeline without colour management would show.
    const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    const naive = readPatches({ width: stored.info.width, height: stored.info.height, data: stored.data });
    expect(largest(naive)).toBeGreaterThan(2.5);
  });

  it("comes as a CMYK file whose profile says what its inks look like", async () => {
    const file = printFile();
    expect(await sharp(file).metadata()).toMatchObject({ space: "cmyk", channels: 4 });
    const { data, info } = await sharp(file)
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const got = readPatches({ width: info.width, height: info.height, data });
    const apart = got.map((colour, i) => deltaE00(srgbToLab(colour), srgbToLab(INK_COLOURS[i] ?? [])));
    expect(Math.max(...apart)).toBeLessThan(1.5);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is stored turned for orientation %i", async (orientation) => {
    const file = await turnedChart(orientation);
    expect((await sharp(file).metadata()).orientation).toBe(orientation);
    const { data, info } = await sharp(file).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const [first] = readPatches({ width: info.width, height: info.height, data });
    expect(deltaE00(srgbToLab(first ?? []), srgbToLab(PATCHES[0] ?? []))).toBeLessThan(2);
  });
});

it("makes blanks that differ and repeat", () => {
  const pixels = (index: number) => Buffer.from(makeBlank(index).rgb.data);
  expect(pixels(3).equals(pixels(3))).toBe(true);
  expect(pixels(3).equals(pixels(8))).toBe(false);
});
