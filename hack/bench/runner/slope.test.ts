import { expect, it } from "vitest";
import { settledSlope } from "./slope.ts";

it("finds the rise of a line, whatever came before it settled", () => {
  const values = Array.from({ length: 100 }, (_, i) => (i < 20 ? 10 * i : 500 + 0.5 * i));
  expect(settledSlope(values)).toBeCloseTo(0.5, 9);
});

it("takes a saw for level, and too few values for nothing", () => {
  expect(Math.abs(settledSlope(Array.from({ length: 100 }, (_, i) => i % 2)))).toBeLessThan(0.001);
  expect(settledSlope([])).toBe(0);
  expect(settledSlope([7])).toBe(0);
});
