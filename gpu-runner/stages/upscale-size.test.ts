import { expect, it } from "vitest";
import { wholeFactor, wantedSize } from "./upscale-size.ts";

const SCENE = { width: 1200, height: 900 };

it.each([
  ["the brand's factor", { factor: 4 }, { width: 4800, height: 3600 }, 4],
  [
    "the brand's factor when exports would use more",
    { factor: 2, longestSide: 9000 },
    { width: 2400, height: 1800 },
    2,
  ],
  ["no more than the exports use", { factor: 4, longestSide: 1920 }, { width: 1920, height: 1440 }, 2],
  [
    "the larger factor only where the smaller does not reach",
    { factor: 4, longestSide: 2401 },
    { width: 2401, height: 1801 },
    4,
  ],
  ["nothing where the picture is large enough", { factor: 4, longestSide: 1000 }, SCENE, 1],
  ["nothing by factor 1", { factor: 1, longestSide: 4000 }, SCENE, 1],
] as const)("enlarges by %s", (_, goal, size, factor) => {
  expect(wantedSize(SCENE, goal)).toEqual(size);
  expect(wholeFactor(SCENE, wantedSize(SCENE, goal))).toBe(factor);
});
