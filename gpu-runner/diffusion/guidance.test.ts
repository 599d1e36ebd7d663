import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyGuidance } from "./guidance.ts";

const numbers = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 12, maxLength: 12 });
const joined = (unwanted: readonly number[], wanted: readonly number[]) =>
  Float32Array.from([...unwanted, ...wanted]);

function deviation(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
}

describe("guidance", () => {
  it("goes so many times the way from the unwanted to the wanted", () => {
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.double({ min: 0, max: 15, noNaN: true }),
        (unwanted, wanted, scale) => {
          const guided = applyGuidance(joined(unwanted, wanted), { scale, rescale: 0, pictures: 2 });
          expect(guided).toHaveLength(12);
          for (const [i, value] of guided.entries()) {
            expect(value).toBeCloseTo(unwanted[i]! + scale * (wanted[i]! - unwanted[i]!), 4);
          }
        },
      ),
    );
  });

  it("of 1 is what is wanted, of 0 what is not", () => {
    fc.assert(
      fc.property(numbers, numbers, (unwanted, wanted) => {
        const at = (scale: number) =>
          applyGuidance(joined(unwanted, wanted), { scale, rescale: 0, pictures: 1 });
        for (const [i, value] of at(1).entries()) expect(value).toBeCloseTo(wanted[i]!, 5);
        for (const [i, value] of at(0).entries()) expect(value).toBeCloseTo(unwanted[i]!, 5);
      }),
    );
  });

  it("wholly rescaled has each picture's contrast of the wanted answer, and the same shape", () => {
    fc.assert(
      fc.property(numbers, numbers, (unwanted, wanted) => {
        const plain = applyGuidance(joined(unwanted, wanted), { scale: 7.5, rescale: 0, pictures: 2 });
        const guided = applyGuidance(joined(unwanted, wanted), { scale: 7.5, rescale: 1, pictures: 2 });
        for (const from of [0, 6]) {
          const spread = deviation(plain.subarray(from, from + 6));
          if (spread < 1e-3) continue;
          expect(deviation(guided.subarray(from, from + 6))).toBeCloseTo(
            deviation(wanted.slice(from, from + 6)),
            3,
          );
          const factor = deviation(wanted.slice(from, from + 6)) / spread;
          for (let i = from; i < from + 6; i++) expect(guided[i]).toBeCloseTo(plain[i]! * factor, 3);
        }
      }),
    );
  });

  it("partly rescaled lies between", () => {
    const answer = joined([0, 0, 0, 0], [1, -1, 2, -2]);
    const at = (rescale: number) => applyGuidance(answer, { scale: 5, rescale, pictures: 1 })[0];
    expect(at(0)).toBeCloseTo(5, 5);
    expect(at(0.7)).toBeCloseTo(0.7 * 1 + 0.3 * 5, 5);
    expect(at(1)).toBeCloseTo(1, 5);
  });

  it("leaves an answer without any contrast alone", () => {
    const flat = joined([1, 1], [2, 2]);
    expect([...applyGuidance(flat, { scale: 3, rescale: 1, pictures: 1 })]).toEqual([4, 4]);
  });

  it("guides a picture the same, alone or among others, and leaves the answer as it was", () => {
    const [a, b, c, d] = [Float32Array.of(1, 2, 3), Float32Array.of(4, 0, -1), [0, 1, 5], [2, 2, 7]];
    const both = Float32Array.of(...a, ...b, ...c, ...d);
    const guided = applyGuidance(both, { scale: 4, rescale: 0.5, pictures: 2 });
    const alone = applyGuidance(joined([...b], d), { scale: 4, rescale: 0.5, pictures: 1 });
    expect(guided.subarray(3)).toEqual(alone);
    expect(both.subarray(0, 3)).toEqual(a);
  });
});
