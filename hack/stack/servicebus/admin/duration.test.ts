import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  [0, "PT0S"],
  [30, "PT30S"],
  [600, "PT10M"],
  [3_661.5, "PT1H1M1.5S"],
  [86_400, "P1D"],
  [90_000, "P1DT1H"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
  expect(parseDuration(text)).toBe(seconds);
});

test("every duration survives being written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (milliseconds) => {
      expect(parseDuration(formatDuration(milliseconds / 1000))).toBeCloseTo(milliseconds / 1000, 3);
    }),
  );
});

test.each(["", "P", "30", "PT30", "P1M"])("%j is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
