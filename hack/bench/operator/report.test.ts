import { expect, it } from "vitest";
import { compare, figuresOf, goalsOf } from "./report.ts";
import type { Side } from "./side.ts";

const aSide = (wallSeconds: number, peakRssMb: number, writes: [string, number][]): Side => ({
  wallSeconds,
  waits: new Map([["small", [1, 2, 3]]]),
  cost: { writes: new Map(writes), cpuSeconds: 4, peakRssMb },
  others: { serverCpuSeconds: 20, harnessCpuSeconds: 5 },
});
const kueue = aSide(40, 400, [["patch", 200]]);
const opal = aSide(20, 100, [
  ["create jobs", 100],
  ["create configmaps", 30],
  ["patch opaljobs/status", 220],
]);

it("gives ours as a part of Kueue's, and counts ConfigMaps to the jobs that have them", () => {
  const figures = figuresOf({ opal, kueue }, 100);
  expect(figures).toMatchObject({
    ratio_kueue_wall: 0.5,
    ratio_kueue_rss: 0.25,
    writes_per_job: 3.2,
    opal_writes_per_job: 3.5,
    kueue_writes_per_job: 2,
  });
  expect(goalsOf(figures).map(({ name }) => name)).toEqual([
    "ratio_kueue_wall",
    "ratio_kueue_rss",
    "writes_per_job",
  ]);
});

it("shows one side alone when only that one was run, and no ratios", () => {
  const sides = { opal, kueue: undefined };
  expect(figuresOf(sides, 100)).not.toHaveProperty("ratio_kueue_wall");
  expect(compare(sides, 100)).toContainEqual(expect.stringMatching(/^wall, s +- +20$/));
});
