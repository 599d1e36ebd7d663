import fc from "fast-check";
import { expect, test } from "vitest";
import { formatRanges, parseRanges } from "./item-ranges.ts";

test.each([
  { indexes: [], text: "" },
  { indexes: [5], text: "5" },
  { indexes: [3, 1, 2, 0], text: "0-3" },
  { indexes: [7, 0, 1, 7, 3], text: "0-1,3,7" },
])("writes $indexes as '$text'", ({ indexes, text }) => {
  expect(formatRanges(indexes)).toBe(text);
});

test("reads back whatever it wrote", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { maxLength: 200 }), (indexes) => {
      expect(parseRanges(formatRanges(indexes))).toEqual([...indexes].sort((a, b) => a - b));
    }),
  );
});

test.each(["a", "1-", "-1", "3-1", "1,,2", "0-999999", " 1"])("refuses '%s' and says where", (text) => {
  expect(() => parseRanges(text)).toThrow(RangeError);
});
