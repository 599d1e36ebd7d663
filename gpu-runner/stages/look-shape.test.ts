import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEGMENTER } from "../models/catalogue.ts";
import { lookShape, lookShapes } from "./look-shape.ts";

const { task } = SEGMENTER;
const length = fc.integer({ min: 16, max: 4000 });

describe("lookShape", () => {
  it("shows a square in a square, a wide or high picture in fewer pixels", () => {
    expect(lookShape(640, { width: 300, height: 300 }, task)).toEqual({ width: 640, height: 640 });
    expect(lookShape(640, { width: 1600, height: 1200 }, task)).toEqual({ width: 640, height: 512 });
    expect(lookShape(640, { width: 900, height: 1600 }, task)).toEqual({ width: 384, height: 640 });
  });

  it("squashes no picture by more than a sixteenth, and gives only shapes that are warmed", () => {
    const warmed = lookShapes(task).map(({ width, height }) => `${width}x${height}`);
    expect(new Set(warmed).size).toBe(warmed.length);
    fc.assert(
      fc.property(fc.constantFrom(640, 896), length, length, (side, width, height) => {
        const shape = lookShape(side, { width, height }, task);
        expect(warmed).toContain(`${shape.width}x${shape.height}`);
        expect(Math.max(shape.width, shape.height)).toBe(side);
        const [across, down] = [shape.width / width, shape.height / height];
        const [along, other] = width >= height ? [across, down] : [down, across];
        expect(other / along).toBeGreaterThanOrEqual(0.9375);
      }),
    );
  });

  it("is the one square of a network that takes no other", () => {
    const oneSquare = { ...task, sides: undefined };
    expect(lookShape(1024, { width: 300, height: 100 }, oneSquare)).toEqual({ width: 1024, height: 1024 });
    expect(lookShapes(oneSquare)).toEqual([{ width: task.size, height: task.size }]);
  });
});
