import { describe, expect, it } from "vitest";
import { clearGhosts } from "./matte-ghosts.ts";
import type { Alpha } from "./raster.ts";

const SIDE = 200;
/** A solid square of 60 pixels in the middle; the rest as `level` says. */
const matteOf = (level: (x: number, y: number) => number): Alpha => ({
  width: SIDE,
  height: SIDE,
  data: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return x >= 70 && x < 130 && y >= 70 && y < 130 ? 255 : level(x, y);
  }),
});
const at = ({ data }: Alpha, x: number, y: number) => data[y * SIDE + x];

describe("clearGhosts", () => {
  it("clears a faint table that hangs together with the product by its haze", () => {
    const cleared = clearGhosts(matteOf((x, y) => (y < 70 && x > 20 && x < 180 ? 12 : 0)));
    expect(at(cleared, 100, 20)).toBe(0);
    expect(at(cleared, 25, 69)).toBe(0);
    expect(at(cleared, 100, 68)).toBe(12);
    expect(at(cleared, 100, 100)).toBe(255);
  });

  it("lets a ghost fade out, and cuts no line into it", () => {
    const cleared = clearGhosts(matteOf((x, y) => (y < 70 ? 30 : 0)));
    const column = Array.from({ length: 70 }, (_, y) => at(cleared, 100, y) ?? 0);
    const steps = column.slice(1).map((level, y) => Math.abs(level - (column[y] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(12);
  });

  it("keeps soft edges, glass and what is half there", () => {
    const edge = matteOf((x) => (x >= 130 && x < 134 ? 40 : 0));
    expect(clearGhosts(edge)).toEqual(edge);
    const glass = matteOf((x, y) => (x >= 130 && y >= 70 && y < 130 ? 60 : 0));
    expect(clearGhosts(glass)).toEqual(glass);
  });

  it("leaves a matte without ghosts as it is", () => {
    const plain = matteOf(() => 0);
    expect(clearGhosts(plain)).toBe(plain);
  });
});
