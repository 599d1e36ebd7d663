import { describe, expect, it } from "vitest";
import type { SurfaceRow } from "./noise-table.ts";
import { lightOf, type SetLook } from "./set-look.ts";
import type { Material } from "./set-material.ts";
import { layPits } from "./set-pits.ts";
import { terrazzo } from "./set-terrazzo.ts";
import { wood } from "./set-wood.ts";

const [WHITE, BLACK] = [
  [0.9, 0.9, 0.9],
  [0.05, 0.05, 0.05],
] as const;
const COUNT = 600;
const rowAt = (v: number, blur: number): SurfaceRow => ({
  count: COUNT,
  u0: 0,
  du: 0.004,
  v,
  blurU: blur,
  blurV: blur,
});

/** The largest step from one row to the next, and from one pixel to the next. */
function largestSteps(material: Material, blur: number): { down: number; across: number } {
  const rows = Array.from({ length: 400 }, (_, y) => {
    const out = new Float32Array(COUNT * 3);
    material(rowAt(y * 0.004, blur), out);
    return out;
  });
  let [down, across] = [0, 0];
  rows.forEach((row, y) => {
    for (let i = 0; i < row.length; i += 3) {
      if (y > 0) down = Math.max(down, Math.abs((row[i] ?? 0) - (rows[y - 1]?.[i] ?? 0)));
      if (i > 0) across = Math.max(across, Math.abs((row[i] ?? 0) - (row[i - 3] ?? 0)));
    }
  });
  return { down, across };
}

describe("what is out of focus has no hard edge:", () => {
  it("boards run into each other where they meet", () => {
    const boards = wood({ light: WHITE, dark: BLACK, seed: 3, board: 0.3 });
    expect(largestSteps(boards, 0.05).down).toBeLessThan(0.06);
  });

  it("chips are soft all round, over cement and over one another", () => {
    const chips = terrazzo({ cement: WHITE, chips: [BLACK, BLACK], seed: 3 });
    const { down, across } = largestSteps(chips, 0.02);
    expect(Math.max(down, across)).toBeLessThan(0.4);
  });
});

describe("layPits", () => {
  const pits = (v: number, blur: number) => {
    const out = new Float32Array(COUNT);
    layPits(rowAt(v, blur), 5, out);
    return out;
  };
  const all = (blur: number) => Array.from({ length: 500 }, (_, y) => pits(y * 0.004, blur));

  it("leaves most of the surface whole, and is the same for a row whoever asked before", () => {
    const depths = all(0.002).flatMap((row) => [...row]);
    const share = depths.filter((depth) => depth > 0.1).length / depths.length;
    expect(share).toBeGreaterThan(0.0005);
    expect(share).toBeLessThan(0.03);
    expect(pits(0.4, 0.002)).toEqual(pits(0.4, 0.002));
  });

  it("hardly shows them out of focus", () => {
    const deepest = (blur: number) => Math.max(...all(blur).map((row) => Math.max(...row)));
    expect(deepest(0.002)).toBeGreaterThan(0.5);
    expect(deepest(0.04)).toBeLessThan(0.1);
  });
});

describe("lightOf", () => {
  const look: SetLook = {
    main: undefined,
    accents: [],
    seed: 1,
    directionDegrees: 25,
    productWidth: 1,
    baseDepth: 1.4,
  };

  it("has the wall behind the farthest leg", () => {
    expect(lightOf(look, { wall: 1 }).wall).toBeGreaterThan(look.baseDepth);
    expect(lightOf({ ...look, baseDepth: 0 }, { wall: 1 }).wall).toBe(1);
  });
});
