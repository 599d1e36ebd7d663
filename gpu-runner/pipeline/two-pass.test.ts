import { describe, expect, it } from "vitest";
import { newPlane, type Plane } from "./raster.ts";
import { joinLooks, planSecondLook } from "./two-pass.ts";

const LIMITS = { side: 1024, isSquare: false };

describe("planSecondLook", () => {
  it("looks at the product with room round it, larger than at first", () => {
    const product = { x: 900, y: 400, width: 400, height: 500 };
    const { box, magnification } = planSecondLook(product, { width: 2000, height: 1500 }, LIMITS);
    expect(box).toEqual({ x: 850, y: 350, width: 500, height: 600 });
    expect(magnification).toBeCloseTo(Math.sqrt((2000 * 1500) / (500 * 600)), 6);
  });

  it("sees more than a narrow product's own box, and a square where a model takes no other", () => {
    const product = { x: 900, y: 400, width: 50, height: 500 };
    const picture = { width: 2000, height: 1500 };
    expect(planSecondLook(product, picture, LIMITS).box).toEqual({ x: 745, y: 350, width: 360, height: 600 });
    const { box } = planSecondLook(product, picture, { ...LIMITS, isSquare: true });
    expect(box).toEqual({ x: 625, y: 350, width: 600, height: 600 });
  });

  it("stays in the picture", () => {
    const product = { x: 0, y: 0, width: 500, height: 100 };
    const { box } = planSecondLook(product, { width: 640, height: 300 }, LIMITS);
    expect(box).toEqual({ x: 0, y: 0, width: 600, height: 300 });
  });

  it("enlarges no product into a blur", () => {
    const product = { x: 300, y: 300, width: 10, height: 20 };
    const { box } = planSecondLook(product, { width: 700, height: 700 }, LIMITS);
    expect([box.width, box.height]).toEqual([154, 256]);
  });

  it("sees nothing larger where the product fills the frame", () => {
    const product = { x: 2, y: 2, width: 596, height: 396 };
    const { box, magnification } = planSecondLook(product, { width: 600, height: 400 }, LIMITS);
    expect(box).toEqual({ x: 0, y: 0, width: 600, height: 400 });
    expect(magnification).toBe(1);
  });
});

describe("joinLooks", () => {
  const SIDE = 300;
  const LOOK = { x: 50, y: 50, width: 200, height: 200 };
  type Shape = (x: number, y: number) => number;
  const block: Shape = (x, y) => (x >= 90 && x < 210 && y >= 90 && y < 210 ? 1 : 0);

  function drawn(shape: Shape, box = { x: 0, y: 0, width: SIDE, height: SIDE }): Plane {
    const plane = newPlane(box.width, box.height);
    for (let i = 0; i < plane.data.length; i++) {
      plane.data[i] = shape(box.x + (i % box.width), box.y + Math.floor(i / box.width));
    }
    return plane;
  }
  function join(first: Shape, second: Shape): Shape {
    const { data } = joinLooks(drawn(first), drawn(second, LOOK), LOOK);
    return (x, y) => data[y * SIDE + x] ?? 0;
  }

  it("takes edge and inside from the closer look", () => {
    const holed: Shape = (x, y) => (Math.hypot(x - 150, y - 150) < 25 ? 0 : block(x, y));
    const softer: Shape = (x, y) => (x === 89 && block(90, y) === 1 ? 0.4 : holed(x, y));
    const joined = join(block, softer);
    expect(joined(89, 150)).toBeCloseTo(0.4, 5);
    expect(joined(150, 150)).toBe(0);
    expect(joined(120, 150)).toBe(1);
  });

  it("clears what the first look took for a part of the product near it", () => {
    const withNeighbour: Shape = (x, y) => (y >= 60 && y < 88 && x >= 90 && x < 210 ? 1 : block(x, y));
    expect(join(withNeighbour, block)(150, 70)).toBe(0);
  });

  it("leaves what lies outside the look, and no line at its end", () => {
    const hazy: Shape = (x, y) => (block(x, y) === 1 ? 1 : 0.2);
    const joined = join(hazy, () => 0.3);
    expect(joined(20, 20)).toBeCloseTo(0.2, 6);
    expect(Math.abs(joined(50, 150) - joined(49, 150))).toBeLessThan(0.03);
  });
});
