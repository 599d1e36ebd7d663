import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANCHORS } from "#crds/brand.ts";
import { enlarged } from "../pipeline/box.ts";
import { type Edge, planScene } from "../pipeline/layout.ts";
import { planChannel, type Placed } from "./plan.ts";
import { type ChannelProfile, CHANNELS } from "./profiles.ts";

const aPlaced = (changes: Partial<Placed> = {}): Placed => ({
  picture: { width: 3000, height: 3000 },
  product: { x: 900, y: 700, width: 1200, height: 1500 },
  content: { x: 850, y: 700, width: 1400, height: 1560 },
  cutOff: [],
  ...changes,
});

function planned(profile: ChannelProfile, placed: Placed) {
  const plan = planChannel(profile, placed);
  if ("refused" in plan) throw new Error(plan.refused);
  return plan;
}

const whites = Object.entries(CHANNELS).filter(([, { background }]) => background === "white");

describe("a product on white", () => {
  it.each(whites)("fills the frame as %s asks, in the middle", (_, profile) => {
    const { size, product } = planned(profile, aPlaced());
    const share = Math.max(product.width / size.width, product.height / size.height);
    expect(share).toBeCloseTo(profile.fill?.wanted ?? 0, 2);
    expect(Math.abs(product.x * 2 + product.width - size.width)).toBeLessThanOrEqual(2);
    expect(Math.abs(product.y * 2 + product.height - size.height)).toBeLessThanOrEqual(2);
    expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(profile.longestSide.wanted);
  });

  it("takes less of the frame where only that reaches the smallest size", () => {
    const product = { x: 100, y: 100, width: 700, height: 880 };
    const { size, product: placed } = planned(CHANNELS["amazon-main"], aPlaced({ product }));
    expect(size.width).toBe(1000);
    expect(placed.height / size.height).toBeCloseTo(0.88, 2);
  });

  it("is never enlarged", () => {
    const small = { x: 100, y: 100, width: 700, height: 1000 };
    const { cut, size } = planned(CHANNELS["amazon-main"], aPlaced({ product: small }));
    expect(size.width).toBe(cut.width);
  });

  const refusals = [
    {
      name: "too few pixels",
      profile: CHANNELS["amazon-main"],
      placed: { product: { x: 10, y: 10, width: 600, height: 800 } },
      says: /pixels for 942 .* 1000 are asked/,
    },
    {
      name: "a product that the photo cuts off",
      profile: CHANNELS.zalando,
      placed: { cutOff: ["bottom"] },
      says: /cuts the product off \(bottom\)/,
    },
    {
      name: "a product with too few pixels of its own",
      profile: { ...CHANNELS.bol, longestSide: { min: 500, wanted: 540, max: 6000 } },
      placed: {},
      says: /the product has 475 pixels, 500 are asked/,
    },
  ];
  it.each(refusals)("is refused for $name", ({ profile, placed, says }) => {
    expect(planChannel(profile, aPlaced(placed))).toEqual({ refused: expect.stringMatching(says) });
  });
});

describe("a cut of the scene", () => {
  const story = CHANNELS["instagram-story"];

  it("is the planned frame where the product lies free in it", () => {
    const frame = { x: 600, y: 0, width: 1687, height: 3000 };
    const placed = aPlaced({ frame, content: { x: 900, y: 700, width: 1200, height: 1500 } });
    expect(planned(story, placed)).toMatchObject({ cut: frame, size: { width: 1080, height: 1920 } });
  });

  it("keeps product and shadow out of what the channel covers, whatever the picture", () => {
    const pixels = fc.integer({ min: 600, max: 4000 });
    const share = fc.double({ min: 0, max: 0.7, noNaN: true });
    fc.assert(
      fc.property(pixels, pixels, fc.tuple(share, share, share), (width, height, [left, top, part]) => {
        const content = {
          x: Math.floor(width * left),
          y: Math.floor(height * top),
          width: Math.max(300, Math.floor(width * (1 - left) * part)),
          height: Math.max(300, Math.floor(height * (1 - top) * part)),
        };
        const plan = planChannel(story, {
          picture: { width, height },
          product: content,
          content,
          cutOff: [],
        });
        if ("refused" in plan) return;
        const { size, product } = plan;
        expect(product.y).toBeGreaterThanOrEqual(size.height * 0.14 - 1);
        expect(product.y + product.height).toBeLessThanOrEqual(size.height * 0.8 + 1);
        expect(product.x).toBeGreaterThanOrEqual(size.width * 0.06 - 1);
        expect(product.x + product.width).toBeLessThanOrEqual(size.width * 0.94 + 1);
      }),
      // A cut that began a part of a pixel too early, which enlarging made more than one.
      { examples: [[749, 1332, [0.540720961281709, 0, 0]]] },
    );
  });

  it("is the planned frame as it is, whatever the layout and the shadow", () => {
    const pixels = fc.integer({ min: 40, max: 3000 });
    const room = fc.integer({ min: 0, max: 900 });
    const layouts = fc.record({
      anchor: fc.constantFrom(...ANCHORS),
      fillPercent: fc.integer({ min: 10, max: 100 }),
      marginPercent: fc.integer({ min: 0, max: 40 }),
      groundLinePercent: fc.option(fc.integer({ min: 20, max: 100 }), { nil: undefined }),
      snap: fc.constantFrom([], ["bottom"] as const, ["left"] as const, ["left", "right"] as const),
    });
    const factors = fc.constantFrom(1, 1.37, 2, 4);
    fc.assert(
      fc.property(pixels, pixels, fc.tuple(room, room, room), layouts, factors, (...drawn) => {
        const [width, height, [left, right, below], rules, factor] = drawn;
        const at = (edge: Edge, reach: number) => (rules.snap.some((one) => one === edge) ? 0 : reach);
        const shadow = { left: at("left", left), right: at("right", right), below: at("bottom", below) };
        const { ratio, covered } = story;
        const scene = planScene({ width, height }, shadow, rules, {
          "1:1": { width: 1, height: 1 },
          story: { ...ratio, covered },
        });
        const content = {
          x: scene.product.x - shadow.left,
          y: scene.product.y,
          width: width + shadow.left + shadow.right,
          height: height + shadow.below,
        };
        const frame = enlarged(scene.frames["story"] ?? content, factor);
        const plan = planChannel(
          { ...story, longestSide: { ...story.longestSide, min: 1 } },
          {
            picture: scene,
            product: enlarged(scene.product, factor),
            content: enlarged(content, factor),
            cutOff: rules.snap,
            frame,
          },
        );
        expect(plan).toMatchObject({ cut: frame });
      }),
    );
  });

  it("lets a product that the photo cuts off run under the buttons there, to the picture's edge", () => {
    const content = { x: 900, y: 1500, width: 1200, height: 1500 };
    const { cut, covered } = planned(story, aPlaced({ product: content, content, cutOff: ["bottom"] }));
    expect(cut.y + cut.height).toBe(3000);
    expect(covered).toMatchObject({ top: 0.14, bottom: 0 });
  });

  it("is refused where a story would have to be blown up", () => {
    const placed = aPlaced({
      picture: { width: 500, height: 700 },
      product: { x: 200, y: 200, width: 100, height: 200 },
      content: { x: 200, y: 200, width: 100, height: 200 },
    });
    expect(planChannel(story, placed)).toEqual({ refused: expect.stringMatching(/1920 are asked/) });
  });

  it("is wide for a hero", () => {
    expect(planned(CHANNELS["web-hero"], aPlaced()).size).toEqual({ width: 1920, height: 1080 });
  });
});
