import { expect, it } from "vitest";
import { type AreaResult, isMet, mean, p95, tableLines } from "./figures.ts";

const area: AreaResult = {
  area: "segment",
  figures: [
    { key: "iou", label: "IoU", ours: 0.98, baseline: 0.9, bar: { value: 0.97, better: "higher" } },
    { key: "band_mae", label: "band error", ours: 0.3, rembg: 0.2, bar: { value: 0.25, better: "lower" } },
    { key: "pictures", label: "pictures", ours: 12 },
  ],
};

it("shows each figure with its bar and whether it is met", () => {
  expect(tableLines([area])).toEqual([
    "metric      ours  baseline  rembg     bar",
    "IoU         0.98       0.9         ≥ 0.97     met",
    "band error   0.3              0.2  ≤ 0.25  MISSED",
    "pictures      12",
  ]);
  expect(area.figures.map(isMet)).toEqual([true, false, undefined]);
});

it("averages", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(p95([0, 100])).toBe(95);
});
