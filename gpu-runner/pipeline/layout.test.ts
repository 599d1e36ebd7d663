import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANCHORS } from "#crds/opaljob.ts";
import { contains } from "./box.ts";
import { type LayoutRules, parseRatio, planScene, sceneScale } from "./layout.ts";

const NO_SHADOW = { left: 0, right: 0, below: 0 };
const RULES: LayoutRules = { anchor: "centre", fillPercent: 80, marginPercent: 5 };

describe("planScene", () => {
  it("fills the asked share of the room inside the margins", () => {
    const { frames } = planScene({ width: 720, height: 300 }, NO_SHADOW, RULES, ["1:1"]);
    expect(frames["1:1"]).toMatchObject({ width: 1000, height: 1000 });
  });

  it("centres the product, or stands it at the margin that the anchor names", () => {
    const product = { width: 300, height: 300 };
    const at = (anchor: LayoutRules["anchor"]) => {
      const scene = planScene(product, NO_SHADOW, { ...RULES, anchor }, ["1:1"]);
      return [scene.product.x, scene.product.y];
    };
    expect(at("centre")).toEqual([59, 59]);
    expect(at("top-left")).toEqual([21, 21]);
    expect(at("bottom")).toEqual([59, 96]);
    expect(at("right")).toEqual([96, 59]);
  });

  it("keeps a centred product in the middle though its shadow falls to one side", () => {
    const scene = planScene({ width: 300, height: 600 }, { left: 0, right: 150, below: 20 }, RULES, ["9:16"]);
    const frame = scene.frames["9:16"];
    expect(scene.product.x - (frame?.x ?? 0)).toBe(((frame?.width ?? 0) - 300) / 2);
  });

  it("keeps every frame inside the scene, and product and shadow inside every frame", () => {
    const side = fc.integer({ min: 8, max: 3000 });
    const room = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(
        fc.record({ width: side, height: side }),
        fc.record({ left: room, right: room, below: room }),
        fc.record({
          anchor: fc.constantFrom(...ANCHORS),
          fillPercent: fc.integer({ min: 10, max: 100 }),
          marginPercent: fc.integer({ min: 0, max: 40 }),
        }),
        (product, shadow, rules) => {
          const scene = planScene(product, shadow, rules, ["1:1", "4:3", "9:16"]);
          const content = {
            x: scene.product.x - shadow.left,
            y: scene.product.y,
            width: product.width + shadow.left + shadow.right,
            height: product.height + shadow.below,
          };
          for (const [ratio, frame] of Object.entries(scene.frames)) {
            expect(contains({ x: 0, y: 0, width: scene.width, height: scene.height }, frame)).toBe(true);
            expect(contains(frame, content)).toBe(true);
            const { width, height } = parseRatio(ratio);
            expect(Math.abs(frame.width / frame.height - width / height)).toBeLessThan(0.3);
          }
        },
      ),
    );
  });
});

describe("sceneScale", () => {
  it("shrinks scenes that are too large, and only those", () => {
    expect(sceneScale({ width: 1000, height: 1000 }, 1e6)).toBe(1);
    expect(sceneScale({ width: 2000, height: 2000 }, 1e6)).toBeCloseTo(0.4975, 3);
  });
});

it("refuses what is no ratio", () => {
  expect(() => parseRatio("wide")).toThrow("not a ratio");
});
