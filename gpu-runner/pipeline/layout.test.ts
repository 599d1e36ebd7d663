import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANCHORS } from "#crds/brand.ts";
import { contains } from "./box.ts";
import { EDGES, type LayoutRules, parseRatio, planScene, sceneScale, type ShadowRoom } from "./layout.ts";

const NO_SHADOW = { left: 0, right: 0, above: 0, below: 0 };
const RULES: LayoutRules = { anchor: "centre", fillPercent: 80, marginPercent: 5 };
const SQUARE = { square: parseRatio("1:1") };
const ALL = { "1:1": parseRatio("1:1"), "4:3": parseRatio("4:3"), "9:16": parseRatio("9:16") };

const side = fc.integer({ min: 8, max: 3000 });
const room = fc.integer({ min: 0, max: 400 });
const sizes = fc.record({ width: side, height: side });
const rooms: fc.Arbitrary<Required<ShadowRoom>> = fc.record({
  left: room,
  right: room,
  above: room,
  below: room,
});
const rules = fc.record({
  anchor: fc.constantFrom(...ANCHORS),
  fillPercent: fc.integer({ min: 10, max: 100 }),
  marginPercent: fc.integer({ min: 0, max: 40 }),
});

/** What `clipShadow` leaves of a shadow's room where the product snaps to edges. */
function roomInside(shadow: Required<ShadowRoom>, snap: readonly string[]): Required<ShadowRoom> {
  const at = (edge: string, pixels: number) => (snap.includes(edge) ? 0 : pixels);
  return {
    left: at("left", shadow.left),
    right: at("right", shadow.right),
    above: at("top", shadow.above),
    below: at("bottom", shadow.below),
  };
}

describe("planScene", () => {
  it("fills the asked share of the room inside the margins", () => {
    const { frames } = planScene({ width: 720, height: 300 }, NO_SHADOW, RULES, SQUARE);
    expect(frames["square"]).toMatchObject({ width: 1000, height: 1000 });
  });

  it("centres the product, or stands it at the margin that the anchor names", () => {
    const product = { width: 300, height: 300 };
    const at = (anchor: LayoutRules["anchor"]) => {
      const scene = planScene(product, NO_SHADOW, { ...RULES, anchor }, SQUARE);
      return [scene.product.x, scene.product.y];
    };
    expect(at("centre")).toEqual([59, 59]);
    expect(at("top-left")).toEqual([21, 21]);
    expect(at("bottom")).toEqual([59, 96]);
    expect(at("right")).toEqual([96, 59]);
  });

  it("keeps a centred product in the middle though its shadow falls to one side", () => {
    const scene = planScene({ width: 300, height: 600 }, { ...NO_SHADOW, right: 150, below: 20 }, RULES, ALL);
    const frame = scene.frames["9:16"];
    expect(scene.product.x - (frame?.x ?? 0)).toBe(((frame?.width ?? 0) - 300) / 2);
  });

  it("stands the product's foot on the ground line of every frame", () => {
    fc.assert(
      fc.property(sizes, rules, fc.integer({ min: 20, max: 100 }), (product, own, groundLinePercent) => {
        const scene = planScene(product, NO_SHADOW, { ...own, groundLinePercent }, ALL);
        for (const frame of Object.values(scene.frames)) {
          const foot = scene.product.y + product.height - frame.y;
          expect(Math.abs(foot - (frame.height * groundLinePercent) / 100)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("puts a product that the photo cuts off against the same edge of every frame", () => {
    fc.assert(
      fc.property(sizes, rooms, rules, fc.constantFrom(...EDGES), (product, shadow, own, edge) => {
        const scene = planScene(product, roomInside(shadow, [edge]), { ...own, snap: [edge] }, ALL);
        const { x, y } = scene.product;
        for (const frame of Object.values(scene.frames)) {
          const distance = {
            left: x - frame.x,
            top: y - frame.y,
            right: frame.x + frame.width - x - product.width,
            bottom: frame.y + frame.height - y - product.height,
          }[edge];
          expect(distance).toBe(0);
        }
      }),
    );
  });

  it("makes the frame as wide as a product that is cut off on both sides, where that is tall enough", () => {
    const snap = ["left", "right"] as const;
    const { frames, product } = planScene({ width: 800, height: 300 }, NO_SHADOW, { ...RULES, snap }, SQUARE);
    expect(frames["square"]).toEqual({ x: 0, y: expect.any(Number), width: 800, height: 800 });
    expect(product.x).toBe(0);
  });

  it("misses the asked fill by at most a pixel where no shadow asks for more room", () => {
    fc.assert(
      fc.property(sizes, rules, (product, own) => {
        const scene = planScene(product, NO_SHADOW, own, ALL);
        for (const [ratio, frame] of Object.entries(scene.frames)) {
          const { width, height } = parseRatio(ratio);
          const short = Math.min(width, height);
          const unit = Math.min((frame.width * short) / width, (frame.height * short) / height);
          const inside = (pixels: number) =>
            ((pixels - (2 * unit * own.marginPercent) / 100) * own.fillPercent) / 100;
          const wide = product.width - inside(frame.width);
          const high = product.height - inside(frame.height);
          expect(Math.abs(Math.max(wide, high))).toBeLessThanOrEqual(1.01);
        }
      }),
    );
  });

  it("keeps every frame inside the scene, and product and shadow inside every frame", () => {
    fc.assert(
      fc.property(
        sizes,
        rooms,
        fc.record({
          anchor: fc.constantFrom(...ANCHORS),
          fillPercent: fc.integer({ min: 10, max: 100 }),
          marginPercent: fc.integer({ min: 0, max: 40 }),
          groundLinePercent: fc.option(fc.integer({ min: 20, max: 100 }), { nil: undefined }),
          snap: fc.subarray([...EDGES]),
        }),
        (product, whole, own) => {
          const shadow = roomInside(whole, own.snap);
          const scene = planScene(product, shadow, own, ALL);
          const content = {
            x: scene.product.x - shadow.left,
            y: scene.product.y - shadow.above,
            width: product.width + shadow.left + shadow.right,
            height: product.height + shadow.above + shadow.below,
          };
          for (const [ratio, frame] of Object.entries(scene.frames)) {
            expect(contains({ x: 0, y: 0, width: scene.width, height: scene.height }, frame)).toBe(true);
            expect(contains(frame, content)).toBe(true);
            const { width, height } = parseRatio(ratio);
            expect(Math.abs(frame.width - (frame.height * width) / height)).toBeLessThanOrEqual(2);
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
