import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POSES, SET_NAMES } from "#crds/brand.ts";
import { boxWhere } from "./box.ts";
import { compose, darken, onClear, shadowInScene, withShadow } from "./compose.ts";
import { compareCore, unfaithful } from "./fidelity.ts";
import { makeGradient } from "./gradient.ts";
import { applyGains, harmonise } from "./harmonise.ts";
import { toSrgb } from "./linear-light.ts";
import { coreMask } from "./matte.ts";
import { judgePose } from "./pose.ts";
import { type Alpha, newRgb, type Rgb } from "./raster.ts";
import { makeReflection, reflect } from "./reflection.ts";
import { clipShadow, FLAT_SHADOW, makeShadow, type Shadow, STUDIO_SHADOW } from "./shadow.ts";
import { makeFlatSet, makeStudioSet, type StudioSet } from "./studio-set.ts";

const SIZE = { width: 240, height: 200 };
const BOX = { x: 80, y: 40, width: 60, height: 110 };
const SCENE = { ...SIZE, product: BOX, frames: {} };

function solid(width: number, height: number): Alpha {
  return { width, height, data: new Uint8Array(width * height).fill(255) };
}

/** A silhouette of the pixels for which `isInside` holds. */
function shape(width: number, height: number, isInside: (x: number, y: number) => boolean): Alpha {
  const alpha = solid(width, height);
  return {
    ...alpha,
    data: alpha.data.map((_, i) => (isInside(i % width, Math.floor(i / width)) ? 255 : 0)),
  };
}

const disc = shape(200, 200, (x, y) => Math.hypot(x - 99.5, y - 99.5) < 100);

function textured(width: number, height: number): Rgb {
  const rgb = newRgb(width, height);
  for (let i = 0; i < rgb.data.length; i++) rgb.data[i] = (i * 37) % 256;
  return rgb;
}

const energy = ({ darkness }: Shadow) => darkness.data.reduce((sum, value) => sum + value, 0);

describe("judgePose", () => {
  it.each([
    { name: "a block", silhouette: solid(60, 110), pose: "standing" },
    { name: "four legs", silhouette: shape(100, 120, (x, y) => y < 40 || x % 60 < 12), pose: "standing" },
    {
      name: "a bottle on a round foot seen a little from above",
      silhouette: shape(80, 200, (x, y) => y < 190 || Math.hypot((x - 39.5) / 40, (y - 190) / 10) < 1),
      pose: "standing",
    },
    {
      name: "a tool that lies aslant",
      silhouette: shape(300, 200, (x, y) => Math.abs(y - 0.6 * x) < 18),
      pose: "lying",
    },
    { name: "a plate seen from above", silhouette: disc, pose: "lying" },
    { name: "nothing", silhouette: shape(20, 20, () => false), pose: "lying" },
  ])("$name: $pose", ({ silhouette, pose }) => {
    expect(judgePose(silhouette)).toBe(pose);
  });
});

describe("makeShadow", () => {
  const shadow = makeShadow(solid(BOX.width, BOX.height), STUDIO_SHADOW);
  const { darkness, room } = shadow;
  const at = (x: number, y: number) => darkness.data[(y + room.above) * darkness.width + room.left + x] ?? 0;

  it("is darkest right under the foot and touches it", () => {
    expect(at(30, BOX.height)).toBeGreaterThan(0.35);
    expect(at(30, BOX.height)).toBeGreaterThan(at(30, BOX.height + 5));
  });

  it("falls to the right, away from the light, and elsewhere when it is told so", () => {
    expect(at(BOX.width + 8, BOX.height - 4)).toBeGreaterThan(at(-8, BOX.height - 4));
    const other = makeShadow(solid(BOX.width, BOX.height), { ...STUDIO_SHADOW, directionDegrees: 180 });
    expect(other.room.left).toBeGreaterThan(other.room.right);
  });

  it("has no hard edge at the end of its room and stays between none and black, in every pose", () => {
    for (const pose of POSES.filter((name) => name !== "auto")) {
      const { darkness } = makeShadow(disc, { ...STUDIO_SHADOW, pose, softness: 2.3, reach: 0.72 });
      const first = darkness.data.filter((_, i) => i % darkness.width === 0);
      expect(first.reduce((most, value) => Math.max(most, value), 0)).toBeLessThan(0.02);
      expect(darkness.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });

  it("is the same each time", () => {
    expect(makeShadow(solid(BOX.width, BOX.height), STUDIO_SHADOW).darkness.data).toEqual(darkness.data);
  });

  it("grows with the height of what throws it, with its strength and with its reach", () => {
    const of = (height: number, look = STUDIO_SHADOW) => energy(makeShadow(solid(120, height), look));
    const heights = [60, 90, 120, 240, 360].map((height) => of(height));
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(of(240, { ...STUDIO_SHADOW, cast: 0.9 })).toBeGreaterThan(of(240));
    expect(of(240, { ...STUDIO_SHADOW, reach: 0.7 })).toBeGreaterThan(of(240));
  });

  it("begins within a pixel below the foot, whatever the size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 260 }),
        fc.integer({ min: 20, max: 260 }),
        fc.integer({ min: 0, max: 359 }),
        (width, height, directionDegrees) => {
          const made = makeShadow(solid(width, height), { ...STUDIO_SHADOW, directionDegrees });
          const column = made.room.left + Math.floor(width / 2);
          const row = made.room.above + height;
          expect(made.darkness.data[row * made.darkness.width + column]).toBeGreaterThan(0.03);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("only touches the ground on a flat colour", () => {
    const flat = makeShadow(solid(BOX.width, BOX.height), FLAT_SHADOW);
    const visible = boxWhere(flat.darkness, (i) => (flat.darkness.data[i] ?? 0) > 0.03);
    expect((visible?.y ?? 0) - flat.room.above).toBeGreaterThan(BOX.height / 2);
  });

  it("ends where the photo cuts the product off", () => {
    const { room, darkness: clipped } = clipShadow(shadow, ["right", "bottom"]);
    expect(room).toMatchObject({ right: 0, below: 0, left: shadow.room.left });
    expect(clipped.width).toBe(shadow.room.left + BOX.width);
  });

  it("copes with a product of one pixel and with none", () => {
    expect(makeShadow(solid(1, 1), STUDIO_SHADOW).darkness.data.every(Number.isFinite)).toBe(true);
    expect(
      energy(
        makeShadow(
          shape(9, 9, () => false),
          STUDIO_SHADOW,
        ),
      ),
    ).toBe(0);
  });
});

const SET: StudioSet = {
  name: "sweep",
  product: BOX,
  foot: { x: BOX.x + BOX.width / 2, y: BOX.y + BOX.height },
  baseRise: 0,
  from: "front",
  colours: ["#e9e5df"],
  seed: 3,
  directionDegrees: 25,
};

describe("makeStudioSet", () => {
  const brightnessOf = (set: StudioSet) => {
    const { data } = makeStudioSet(SIZE, set);
    return (x: number, y: number) => data[(y * SIZE.width + x) * 3 + 1] ?? 0;
  };

  it.each(SET_NAMES)(
    "%s: the same for a seed, another for another, inside the light that a screen shows",
    (name) => {
      for (const from of ["front", "top"] as const) {
        const set = makeStudioSet(SIZE, { ...SET, name, from });
        expect(makeStudioSet(SIZE, { ...SET, name, from }).data).toEqual(set.data);
        expect(makeStudioSet(SIZE, { ...SET, name, from, seed: 4 }).data).not.toEqual(set.data);
        const clipped = set.data.filter((light) => !(light >= 0 && light <= 1)).length;
        expect(clipped / set.data.length).toBeLessThan(0.02);
      }
    },
  );

  it("bends a sweep from wall to floor without a line", () => {
    const brightness = brightnessOf(SET);
    for (let y = 1; y < SIZE.height; y++) {
      expect(Math.abs(brightness(10, y) - brightness(10, y - 1))).toBeLessThan(0.03);
    }
  });

  it("is lit from where shadows do not fall", () => {
    const left = brightnessOf(SET);
    expect(left(20, 20)).toBeGreaterThan(left(220, 20));
    const right = brightnessOf({ ...SET, directionDegrees: 170 });
    expect(right(220, 20)).toBeGreaterThan(right(20, 20));
  });

  it("takes the brand's colour", () => {
    const { data } = makeStudioSet(SIZE, { ...SET, name: "plaster", colours: ["#3355aa"] });
    expect(data[2]).toBeGreaterThan((data[0] ?? 0) * 3);
  });

  it("lets shadows fall on the podium's top and the shelf's board alone", () => {
    for (const name of ["podium", "shelf"] as const) {
      const { receives } = makeStudioSet(SIZE, { ...SET, name });
      expect(receives?.(110, BOX.y + BOX.height - 2)).toBe(1);
      expect(receives?.(110, SIZE.height - 1)).toBe(0);
    }
  });
});

describe("makeGradient", () => {
  const rules = {
    from: "#101820",
    to: "#f4f1ea",
    kind: "linear",
    angleDegrees: 90,
    centre: { x: 5, y: 5 },
  } as const;

  it("begins and ends at its colours", () => {
    const { data } = makeGradient({ width: 10, height: 400 }, rules);
    expect(toSrgb(data[0] ?? 0)).toBeCloseTo(0x10, -0.5);
    expect(toSrgb(data[data.length - 3] ?? 0)).toBeCloseTo(0xf4, -0.5);
  });

  it("goes from its centre outwards", () => {
    const { data } = makeGradient(
      { width: 41, height: 41 },
      { ...rules, kind: "radial", centre: { x: 20.5, y: 20.5 } },
    );
    expect(toSrgb(data[(20 * 41 + 20) * 3] ?? 0)).toBeCloseTo(0x10, -0.5);
    expect(data[0]).toBeGreaterThan(0.7);
  });

  it("shows no bands with grain: neighbouring rows share their levels", () => {
    const size = { width: 64, height: 512 };
    const gentle = makeGradient(size, { ...rules, from: "#808080", to: "#909090" });
    const nothing = { colour: newRgb(1, 1), alpha: { ...solid(1, 1), data: new Uint8Array(1) } };
    const { data } = compose(gentle, nothing, { x: 0, y: 0, width: 1, height: 1 }, { seed: 1, levels: 1 });
    for (let y = 40; y < 470; y += 10) {
      const row = new Set(data.subarray(y * 64 * 3, (y + 1) * 64 * 3));
      expect(row.size).toBeGreaterThan(1);
    }
  });
});

describe("compose", () => {
  const product = textured(BOX.width, BOX.height);
  const alpha = solid(BOX.width, BOX.height);

  it("copies opaque pixels exactly, over any background and grain", () => {
    const set = makeStudioSet(SIZE, SET);
    darken(set, shadowInScene(makeShadow(alpha, STUDIO_SHADOW), SCENE, undefined));
    const placed = compose(set, { colour: product, alpha }, BOX, { seed: 1, levels: 2 });
    const proof = compareCore(placed, BOX, product, coreMask(alpha, 2));
    expect(proof).toEqual({
      corePixels: 56 * 106,
      maxAbsDifference: 0,
      meanAbsDifference: 0,
      deltaE00P95: 0,
      psnrDb: 99,
    });
  });

  it("keeps a flat colour exact without grain", () => {
    const cutout = { colour: product, alpha };
    const placed = compose(makeFlatSet(SIZE, "#f4f1ea"), cutout, BOX, { seed: 0, levels: 0 });
    expect([...placed.data.subarray(0, 3)]).toEqual([0xf4, 0xf1, 0xea]);
  });

  it("mixes soft edges in linear light, which is brighter than a mix of levels", () => {
    const half = { ...alpha, data: new Uint8Array(alpha.data.length).fill(128) };
    const white = { ...product, data: new Uint8Array(product.data.length).fill(255) };
    const cutout = { colour: white, alpha: half };
    const placed = compose(makeFlatSet(SIZE, "#000000"), cutout, BOX, { seed: 0, levels: 0 });
    expect(placed.data[(BOX.y * SIZE.width + BOX.x) * 3]).toBe(188);
  });

  it("dims by the shadow in linear light, only where the set can be in it", () => {
    const shadow = makeShadow(alpha, STUDIO_SHADOW);
    const dark = shadowInScene(shadow, SCENE, (x) => (x < 110 ? 1 : 0));
    const under = (BOX.y + BOX.height) * SIZE.width;
    expect(dark.data[under + 100]).toBeGreaterThan(0.3);
    expect(dark.data[under + 120]).toBe(0);
  });

  it("keeps the product's bytes on a clear canvas with a shadow", () => {
    const alone = onClear(SCENE, { colour: product, alpha });
    const whole = withShadow(alone, shadowInScene(makeShadow(alpha, STUDIO_SHADOW), SCENE, undefined));
    expect(compareCore(whole.colour, BOX, product, coreMask(alpha, 1)).maxAbsDifference).toBe(0);
    expect(whole.alpha.data[(BOX.y + BOX.height) * SIZE.width + 110]).toBeGreaterThan(60);
    expect(whole.alpha.data[0]).toBe(0);
  });

  it("mirrors the product below its foot, weaker with the distance", () => {
    const white = { ...product, data: new Uint8Array(product.data.length).fill(255) };
    const floor = makeFlatSet(SIZE, "#000000");
    const reflection = makeReflection({ colour: white, alpha }, 0.4);
    if (reflection) reflect(floor, reflection, BOX);
    const below = (rows: number) => floor.data[((BOX.y + BOX.height + rows) * SIZE.width + 110) * 3] ?? 0;
    expect(below(1)).toBeGreaterThan(0.2);
    expect(below(1)).toBeGreaterThan(below(15));
    expect(below(-5)).toBe(0);
  });
});

describe("harmonise", () => {
  const grey = { ...newRgb(60, 110), data: new Uint8Array(60 * 110 * 3).fill(140) };
  const core = new Uint8Array(60 * 110).fill(1);
  const lit = makeStudioSet(SIZE, { ...SET, name: "window", colours: ["#d09060"] });

  it("stays within ±12 % and its budget, and says what it did", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (percent) => {
        const made = harmonise(grey, core, { background: lit, product: BOX }, percent);
        expect(made.leastGain).toBeGreaterThanOrEqual(1 - 0.12 * (percent / 100) - 1e-6);
        expect(made.mostGain).toBeLessThanOrEqual(1 + 0.12 * (percent / 100) + 1e-6);
        expect(made.deltaE00P95).toBeLessThanOrEqual(4);
      }),
      { numRuns: 12 },
    );
  });

  it("is the photo with the stated gain, byte for byte", () => {
    const photo = textured(60, 110);
    const made = harmonise(photo, core, { background: lit, product: BOX }, 100);
    expect(applyGains(photo, made.gains)).toEqual(made.colour);
    expect(made.colour.data).not.toEqual(photo.data);
  });

  it("takes on the scene's tint", () => {
    const background = makeFlatSet(SIZE, "#e08040");
    const { colour } = harmonise(grey, core, { background, product: BOX }, 100);
    expect(colour.data[0]).toBeGreaterThan(colour.data[2] ?? 255);
  });
});

describe("the proof", () => {
  const product = textured(BOX.width, BOX.height);
  const core = coreMask(solid(BOX.width, BOX.height), 2);
  const changedBy = (levels: number, every: number) => {
    const data = Uint8Array.from(product.data, (level, i) =>
      i % every === 0 ? (level + levels) % 256 : level,
    );
    return compareCore({ ...product, data }, { ...BOX, x: 0, y: 0 }, product, core);
  };

  it("notices one changed pixel at the photo's own size", () => {
    const proof = changedBy(5, 7001);
    expect(proof.maxAbsDifference).toBeGreaterThanOrEqual(5);
    expect(unfaithful(proof, false)).toContain("levels");
    expect(unfaithful(proof, true)).toBeUndefined();
  });

  it("notices a shift of colour after a resize", () => {
    expect(unfaithful(changedBy(9, 1), true)).toMatch(/ΔE00|dB/);
  });
});
