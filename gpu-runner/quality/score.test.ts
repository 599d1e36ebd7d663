import { describe, expect, it } from "vitest";
import type { PlaceFacts, SegmentFacts } from "../stages/facts.ts";
import type { Measures } from "./measure.ts";
import { isMendable, reviewMessage, scoreOf } from "./score.ts";

const SHA = "a".repeat(64);
const BOX = { x: 100, y: 100, width: 400, height: 600 };

const segment: SegmentFacts = {
  source: { format: "jpeg", width: 1200, height: 1200, bytes: 5, sha256: SHA },
  notes: [],
  model: { name: "cutter", sha256: SHA, licence: "MIT" },
  productScore: 1,
  coverage: 0.2,
  productBox: BOX,
  touchesFrame: [],
  specksCleared: 0,
  pinholesClosed: 0,
  frameContact: { left: 0, top: 0, right: 0, bottom: 0.2 },
  parts: [{ box: BOX, share: 0.2 }],
  softInterior: 0.01,
  secondLook: { box: BOX, magnification: 1.4, taken: true, changed: 0.03 },
};
/** Of a photo as shops should send them. */
const measures: Measures = {
  edgeBandPixels: 2,
  solidShare: 0.9,
  cutOff: [],
  laplacianVariance: 400,
  blurPixels: 0.3,
  burntShare: 0.02,
  blackShare: 0.05,
};
const place: PlaceFacts = {
  placement: "studio",
  set: "sweep",
  scale: 1,
  productBox: BOX,
  contentBox: BOX,
  frames: { "1:1": { x: 0, y: 0, width: 800, height: 800 } },
  fidelity: { corePixels: 100_000, maxAbsDifference: 0, meanAbsDifference: 0, deltaE00P95: 0 },
};

describe("scoreOf", () => {
  it("gives a good photo every point", () => {
    expect(scoreOf({ segment, place, measures })).toEqual({ score: 100, reasons: [] });
  });

  it.each([
    { code: "uncertain", evidence: { segment: { ...segment, productScore: 0.55 } } },
    { code: "tiny", evidence: { segment: { ...segment, productBox: { ...BOX, width: 60, height: 80 } } } },
    { code: "touches-frame", evidence: { measures: { ...measures, cutOff: ["left", "top"] } } },
    {
      code: "frame-contact",
      evidence: { segment: { ...segment, frameContact: { left: 0.9, top: 0, right: 0, bottom: 0.1 } } },
    },
    {
      code: "several-products",
      evidence: {
        segment: { ...segment, parts: Array.from({ length: 5 }, () => ({ box: BOX, share: 0.02 })) },
      },
    },
    { code: "half-open", evidence: { segment: { ...segment, softInterior: 0.6 } } },
    {
      code: "looks-differ",
      evidence: {
        segment: { ...segment, secondLook: { box: BOX, magnification: 2, taken: true, changed: 0.4 } },
      },
    },
    { code: "holes", evidence: { segment: { ...segment, pinholesClosed: 3000 } } },
    { code: "specks", evidence: { segment: { ...segment, specksCleared: 30_000 } } },
    { code: "halo", evidence: { measures: { ...measures, edgeBandPixels: 70 } } },
    { code: "ghostly", evidence: { measures: { ...measures, solidShare: 0.1 } } },
    { code: "blurred", evidence: { measures: { ...measures, blurPixels: 1.5 } } },
    { code: "overexposed", evidence: { measures: { ...measures, burntShare: 0.6 } } },
    { code: "underexposed", evidence: { measures: { ...measures, blackShare: 0.8 } } },
    {
      code: "unfaithful",
      evidence: { place: { ...place, fidelity: { ...place.fidelity, deltaE00P95: 1.2 } } },
    },
    {
      code: "cut-by-frame",
      evidence: { place: { ...place, frames: { "1:1": { x: 120, y: 100, width: 800, height: 800 } } } },
    },
  ] as const)("takes points for $code alone and says so", ({ code, evidence }) => {
    const { score, reasons } = scoreOf({ segment, place, measures, ...evidence } as Parameters<
      typeof scoreOf
    >[0]);
    expect(reasons.map((reason) => reason.code)).toEqual([code]);
    expect(score).toBeLessThan(93);
    expect(score).toBeCloseTo(100 - (reasons[0]?.points ?? 0), 5);
  });

  it("does not blame a frame for an edge that the photo cuts off", () => {
    const snapped: PlaceFacts = {
      ...place,
      snapped: ["left"],
      frames: { "1:1": { x: 120, y: 0, width: 800, height: 800 } },
    };
    expect(scoreOf({ segment, measures, place: snapped }).score).toBe(100);
  });

  it("names what costs most first, and never goes below 0", () => {
    const awful = {
      segment: { ...segment, productScore: 0.5, pinholesClosed: 9000 },
      measures: { ...measures, blurPixels: 3, burntShare: 1, solidShare: 0 },
    };
    const quality = scoreOf(awful);
    expect(quality.score).toBe(0);
    const points = quality.reasons.map((reason) => reason.points);
    expect(points).toEqual(points.toSorted((a, b) => b - a));
    expect(reviewMessage(quality, 50)).toMatch(/scores 0 of the 50 .*hardly found/);
  });

  it("takes nothing for what was not measured", () => {
    expect(scoreOf({ segment })).toEqual({ score: 100, reasons: [] });
  });

  it("lets glass be soft inside", () => {
    const glass = { ...segment, transparentSuspected: true };
    expect(scoreOf({ segment: glass, measures: { ...measures, solidShare: 0.1 } }).score).toBe(100);
  });

  it("knows what another try may mend", () => {
    expect(isMendable(scoreOf({ segment, measures: { ...measures, solidShare: 0.1 } }))).toBe(true);
    expect(isMendable(scoreOf({ segment, measures: { ...measures, blurPixels: 2 } }))).toBe(false);
  });
});
