import { describe, expect, it } from "vitest";
import { normals, philox } from "./noise.ts";

/** Random123's published answers for philox4x32-10 (its kat_vectors). */
const KNOWN = [
  { counter: [0, 0, 0, 0], key: [0, 0], answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

/**
 * What `torch.randn(3, 4, device="cuda")` gives after `manual_seed(0)`, as published with the generator of
 * stable-diffusion-webui that imitates it, which takes the sine of a 64-bit angle where CUDA has 32 bits.
 */
const CUDA_SEED_0 = [
  -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
  -1.07454231, -0.36314407, -1.67105067, 2.26550497,
];

function moments(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const central = (power: number) =>
    values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
  return { mean, variance: central(2), skew: central(3), fourth: central(4) };
}

describe("philox", () => {
  it.each(KNOWN)("gives Random123's answer for $counter", ({ counter, key, answer }) => {
    const words = Uint32Array.from(counter);
    philox(words, Uint32Array.from(key));
    expect([...words]).toEqual(answer);
  });
});

describe("normals", () => {
  it("are those of torch's CUDA generator", () => {
    const got = normals(0, 0, 12);
    for (const [i, value] of CUDA_SEED_0.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(1e-6);
  });

  it("have the moments of the normal distribution", () => {
    const { mean, variance, skew, fourth } = moments(normals(1234, 0, 200_000));
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(200_000));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / 200_000));
    expect(Math.abs(skew)).toBeLessThan(4 * Math.sqrt(15 / 200_000));
    expect(Math.abs(fourth - 3)).toBeLessThan(4 * Math.sqrt(96 / 200_000));
  });

  it("are independent from draw to draw and from seed to seed", () => {
    const draws = [
      normals(7, 0, 50_000),
      normals(7, 1, 50_000),
      normals(8, 0, 50_000),
      normals(7n << 32n, 0, 50_000),
    ];
    for (const [i, a] of draws.entries()) {
      for (const b of draws.slice(i + 1)) {
        const correlation = a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length;
        expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(50_000));
      }
    }
  });

  it("do not depend on how many are asked for", () => {
    expect(normals(5, 3, 1000).subarray(0, 10)).toEqual(normals(5, 3, 10));
  });

  it("take seeds of 64 bits, and a number like the same bigint", () => {
    expect(normals(2 ** 40 + 1, 0, 4)).toEqual(normals(2n ** 40n + 1n, 0, 4));
    expect(normals(2n ** 64n - 1n, 0, 4).every(Number.isFinite)).toBe(true);
  });

  it.each([-1, 1.5, 2 ** 53, NaN, -1n, 2n ** 64n])("refuse %s as a seed", (seed) => {
    expect(() => normals(seed, 0, 1)).toThrow(RangeError);
  });

  it.each([-1, 0.5, 2 ** 32])("refuse %s as a draw", (draw) => {
    expect(() => normals(1, draw, 1)).toThrow(RangeError);
  });
});
