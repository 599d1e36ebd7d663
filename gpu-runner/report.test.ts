import { describe, expect, it } from "vitest";
import type { StageRecord } from "#crds/runner-report.ts";
import { composeReport } from "./report.ts";
import { aManifest } from "./testing.ts";

const BOX = { x: 0, y: 0, width: 10, height: 10 };
const MODEL = { name: "opal-scene", sha256: "ab", licence: "MIT" };

function placed(facts: object): StageRecord {
  return {
    v: 1,
    stage: "place",
    output: "outputs/acme/spring/0f8fad5b/bottle/placed.png",
    sha256: "0".repeat(64),
    bytes: 1,
    width: 10,
    height: 10,
    seconds: 1,
    gpuSeconds: 1,
    attempt: 1,
    pod: "spring-1-0",
    finishedAt: "2026-01-01T00:00:00.000Z",
    layers: {},
    facts: {
      placement: "generated",
      set: "generated",
      scale: 1,
      productBox: BOX,
      contentBox: BOX,
      frames: {},
      fidelity: { corePixels: 1, maxAbsDifference: 0, meanAbsDifference: 0 },
      ...facts,
    },
  };
}

const painted = (growth: number) => ({
  generated: {
    prompt: "on an oak table",
    seed: 9,
    tries: 3,
    growth,
    strength: 1,
    steps: 20,
    guidance: 4,
    width: 256,
    height: 256,
    model: MODEL,
  },
});

function reportOf(facts: object) {
  const manifest = aManifest({
    items: [{ id: "bottle", source: "raw/acme/bottle.jpg" }],
    brand: { minScore: 0 },
  });
  const [item] = manifest.items;
  if (!item) throw new Error("the manifest has no item");
  return composeReport({ manifest, item, stages: [placed(facts)], at: new Date(0) });
}

describe("composeReport", () => {
  it("says of a painted scene that a model made pixels of it, and which", () => {
    const report = reportOf(painted(0.01));
    expect(report).toMatchObject({ outcome: "done", hasGeneratedPixels: true, models: [MODEL] });
    expect(reportOf({ placement: "studio" })).toMatchObject({ hasGeneratedPixels: false, models: [] });
  });

  it("holds a scene back in which the product has grown, and names the picture for whoever reviews it", () => {
    const report = reportOf(painted(0.07));
    expect(report).toMatchObject({
      outcome: "failed",
      failure: { class: "needs-review", message: expect.stringContaining("in each of 3 scenes") },
      final: { output: expect.stringContaining("placed.png") },
    });
    expect(report.failure?.message).toContain("7 %");
  });
});
