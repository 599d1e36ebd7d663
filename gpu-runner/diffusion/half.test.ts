import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalf, toHalf } from "./half.ts";

/** What a code means by IEEE 754, worked out the slow way. */
function meaning(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const mantissa = code & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

const CODES = Uint16Array.from({ length: 0x1_0000 }, (_, code) => code);
const one = (value: number) => toHalf(Float32Array.of(value))[0];

describe("half floats", () => {
  it("mean what IEEE 754 says, all 65,536 of them", () => {
    const values = fromHalf(CODES);
    expect(CODES.filter((code) => !Object.is(values[code], meaning(code)))).toEqual(new Uint16Array());
  });

  it("come back from 32 bits as they were, NaN as some NaN", () => {
    const back = toHalf(fromHalf(CODES));
    const isKept = (code: number) =>
      Number.isNaN(meaning(code)) ? Number.isNaN(meaning(back[code]!)) : back[code] === code;
    expect(CODES.filter((code) => !isKept(code))).toEqual(new Uint16Array());
  });

  it("are the nearest there is, ties to even", () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const code = one(value)!;
        const error = Math.abs(meaning(code) - value);
        for (const other of [code - 1, code + 1]) {
          const otherError = Math.abs(meaning(other & 0xffff) - value);
          expect(error < otherError || (error === otherError && code % 2 === 0) || !(otherError >= 0)).toBe(
            true,
          );
        }
      }),
    );
    expect(one(1 + 2 ** -11)).toBe(0x3c00);
    expect(one(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(one(2 ** -25)).toBe(0);
    expect(one(3 * 2 ** -26)).toBe(1);
  });

  it("are infinite from 65,520 on", () => {
    expect(one(65519.99)).toBe(0x7bff);
    expect(one(65520)).toBe(0x7c00);
    expect(one(-3e38)).toBe(0xfc00);
  });

  it("may lie in the middle of a buffer", () => {
    const all = Float32Array.of(9, 0.5, -2, 9);
    expect([...fromHalf(toHalf(all).subarray(1, 3))]).toEqual([0.5, -2]);
    expect([...fromHalf(toHalf(all.subarray(1, 3)))]).toEqual([0.5, -2]);
  });
});
