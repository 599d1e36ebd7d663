import { expect, test } from "vitest";
import { median, quantile, reportLines } from "./report.ts";

test("takes medians and quantiles of unsorted values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.9)).toBe(9);
  expect(() => median([])).toThrow("no values");
});

test("says of each goal whether it is met, and ends with one line for machines", () => {
  const lines = reportLines(
    {
      bench: "x",
      figures: { wall_seconds: 12.3456, pictures_per_minute: 3, rounds: 5 },
      goals: [
        { name: "wall_seconds", value: 12.3456, goal: 12, better: "lower" },
        { name: "pictures_per_minute", value: 3, goal: 2, better: "higher" },
      ],
    },
    true,
  );
  expect(lines[0]).toMatch(/wall_seconds +12\.35 +goal ≤ 12: missed/);
  expect(lines[1]).toMatch(/goal ≥ 2: met/);
  expect(lines[2]).not.toContain("goal");
  const last = JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
  expect(Object.keys(last)).toEqual(["bench", "machine", "figures", "goals"]);
});
