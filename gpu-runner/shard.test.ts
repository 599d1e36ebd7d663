import { describe, expect, it } from "vitest";
import { itemReportRef, recipeRef, stageRecordRef } from "#crds/blob-keys.ts";
import {
  encodeVerdict,
  ItemReport,
  type ShardManifest,
  type ShardProgress,
  StageRecord,
} from "#crds/runner-report.ts";
import { type Stage, STAGES } from "#crds/stages.ts";
import { createDrain } from "./drain.ts";
import { Failure } from "./failure.ts";
import { createPhotos } from "./photos.ts";
import { Recipe } from "./recipe.ts";
import { runShard } from "./shard.ts";
import type { StageResult, StageWork } from "./stage-work.ts";
import { A_MACHINE, aManifest, memoryBlobs } from "./testing.ts";

const BOX = { x: 1, y: 1, width: 2, height: 2 };
const SHA = "a".repeat(64);
const FACTS: Record<Stage, Record<string, unknown>> = {
  segment: {
    source: { format: "jpeg", width: 8, height: 8, bytes: 5, sha256: SHA },
    notes: [],
    model: { name: "cutter", sha256: SHA, licence: "MIT" },
    productScore: 1,
    coverage: 0.5,
    productBox: BOX,
    touchesFrame: [],
    specksCleared: 0,
    pinholesClosed: 0,
  },
  place: {
    placement: "studio",
    set: "sweep",
    scale: 1,
    productBox: BOX,
    contentBox: { x: 1, y: 1, width: 3, height: 3 },
    frames: {},
    fidelity: { corePixels: 4, maxAbsDifference: 0, meanAbsDifference: 0 },
  },
  upscale: { factor: 2, tilePixels: 64, tiles: 1, productTreatment: "enlarged" },
};

function resultOf(work: StageWork): StageResult {
  const side = work.stage === "upscale" ? 16 : 8;
  const bytes = new Uint8Array(new TextEncoder().encode(`${work.stage} picture`));
  return {
    picture: { bytes, width: side, height: side, extension: "png" },
    facts: FACTS[work.stage],
    gpuSeconds: 1,
  };
}

const workOf = (parts: readonly ShardManifest[]) =>
  parts.flatMap((part) =>
    part.items.map((item) => ({ manifest: part, item, slot: item.slot ?? item.index })),
  );

function aShard(
  ids: readonly string[],
  perform: (work: StageWork) => Promise<StageResult> | StageResult = resultOf,
) {
  const manifest = aManifest({ items: ids.map((id) => ({ id, source: `raw/acme/${id}.jpg` })) });
  const blobs = memoryBlobs();
  for (const id of ids) blobs.stored.set(`raw/acme/${id}.jpg`, new TextEncoder().encode(id));
  const performed: Stage[] = [];
  const seen: ShardProgress[] = [];
  const drain = createDrain(0);
  const run = (pod = "pod-a", ...parts: ShardManifest[]) =>
    runShard(workOf(parts.length > 0 ? parts : [manifest]), {
      pod,
      blobs,
      photos: createPhotos(blobs, 1000),
      maxSourceBytes: 1000,
      machine: A_MACHINE,
      betweenItems: () => Promise.resolve(),
      run: async (work) => {
        performed.push(work.stage);
        return await perform(work);
      },
      checkDrain: drain.check,
      now: () => new Date("2026-01-01T00:00:00Z"),
      sinceStart: () => 1.5,
      onProgress: (progress) => seen.push(progress),
      onItem: () => undefined,
      onRecord: () => undefined,
    });
  const key = (item: string) => ({ tenant: manifest.tenant, job: manifest.job, uid: manifest.uid, item });
  const reportOf = (item: string) => {
    const bytes = blobs.stored.get(itemReportRef(key(item)));
    return bytes && ItemReport.parse(JSON.parse(new TextDecoder().decode(bytes)));
  };
  return { run, manifest, blobs, performed, seen, drain, key, reportOf };
}

const photoOf = (work: StageWork) => ("photo" in work ? new TextDecoder().decode(work.photo) : "");

describe("runShard", () => {
  it("brings every item through its stages, and tells how far it is", async () => {
    const shard = aShard(["cup", "vase"]);
    const end = await shard.run();
    expect(end).toMatchObject({
      exit: "done",
      verdict: {
        done: "0-1",
        failed: [],
        stages: { segment: 2, place: 2, upscale: 2 },
        gpuSeconds: 6,
        coldStartSeconds: 1.5,
        stageTimes: { segment: { images: 2 }, place: { images: 2 }, upscale: { images: 2 } },
      },
    });
    expect(shard.performed).toEqual([...STAGES, ...STAGES]);
    expect(shard.seen[0]).toMatchObject({ current: { index: 0, item: "cup", stage: "segment" } });
    expect(shard.seen.at(-1)).toMatchObject({ done: "0-1", stages: { upscale: 2 } });
    expect(shard.reportOf("cup")?.final).toEqual({
      output: expect.stringContaining("upscale-") as string,
      width: 16,
      height: 16,
      productBox: { x: 2, y: 2, width: 4, height: 4 },
      contentBox: { x: 2, y: 2, width: 6, height: 6 },
      frames: {},
      layers: {},
    });
  });

  it("does nothing twice: not for finished items, and not for stages with a record", async () => {
    const shard = aShard(["cup"]);
    await shard.run();
    shard.blobs.stored.delete(itemReportRef(shard.key("cup")));
    shard.blobs.stored.delete(stageRecordRef(shard.key("cup"), "upscale"));
    shard.performed.length = 0;
    expect((await shard.run("pod-b")).verdict).toMatchObject({
      done: "0",
      stages: { segment: 1, place: 1, upscale: 1 },
      gpuSeconds: 1,
      stageTimes: { upscale: { images: 1 } },
    });
    expect(shard.performed).toEqual(["upscale"]);
    expect((await shard.run("pod-c")).verdict).toMatchObject({ done: "0", gpuSeconds: 0 });
    expect(shard.performed).toEqual(["upscale"]);
  });

  it("takes the record of a pod that was faster, and counts its own work as wasted", async () => {
    const shard = aShard(["cup"], (work) => {
      if (work.stage === "segment") {
        const theirs: StageRecord = {
          v: 1,
          stage: "segment",
          output: "outputs/theirs.png",
          sha256: SHA,
          bytes: 6,
          width: 8,
          height: 8,
          seconds: 1,
          gpuSeconds: 1,
          attempt: 1,
          pod: "pod-z",
          finishedAt: "2026-01-01T00:00:00Z",
          layers: {},
          facts: FACTS.segment,
        };
        shard.blobs.stored.set(
          stageRecordRef(shard.key("cup"), "segment"),
          new TextEncoder().encode(JSON.stringify(theirs)),
        );
        shard.blobs.stored.set("outputs/theirs.png", new TextEncoder().encode("theirs"));
      }
      return resultOf(work);
    });
    const end = await shard.run();
    expect(end.verdict).toMatchObject({ done: "0", gpuSeconds: 3, wastedGpuSeconds: 1 });
    expect(shard.reportOf("cup")?.stages[0]?.pod).toBe("pod-z");
  });

  it("lets one bad photo fail alone, with a report of its own", async () => {
    const shard = aShard(["bad", "cup"], (work) => {
      if (photoOf(work) === "bad") throw new Failure("bad-input", "the file is not a picture");
      return resultOf(work);
    });
    const end = await shard.run();
    expect(end).toMatchObject({
      exit: "done",
      verdict: { done: "1", failed: [{ index: 0, id: "bad", class: "bad-input" }] },
    });
    expect(shard.reportOf("bad")).toMatchObject({ outcome: "failed", failure: { class: "bad-input" } });
    expect((await shard.run("pod-b")).verdict.failed).toHaveLength(1);
  });

  it("writes no report for a failure that another try may mend", async () => {
    const shard = aShard(["cup"], () => {
      throw new Failure("out-of-memory", "memory ran out");
    });
    expect((await shard.run()).verdict.failed).toMatchObject([{ id: "cup", class: "out-of-memory" }]);
    expect(shard.reportOf("cup")).toBeUndefined();
  });

  it("gives a missing upload its verdict", async () => {
    const shard = aShard(["cup"]);
    shard.blobs.stored.delete("raw/acme/cup.jpg");
    expect((await shard.run()).verdict.failed).toMatchObject([{ class: "missing-input" }]);
  });

  it.each([
    { class: "storage", exit: "storage" },
    { class: "model", exit: "modelMissing" },
  ] as const)("stops as a whole on $class", async ({ class: failureClass, exit }) => {
    const shard = aShard(["cup", "vase"], (work) => {
      if (photoOf(work) === "vase") throw new Failure(failureClass, "gone");
      return resultOf(work);
    });
    const end = await shard.run();
    expect(end).toMatchObject({ exit, verdict: { done: "0", failed: [], error: { class: failureClass } } });
    expect(shard.reportOf("vase")).toBeUndefined();
  });

  it("starts no stage after the notice to go, and leaves the rest to another pod", async () => {
    const shard = aShard(["cup", "vase"], (work) => {
      if (work.stage === "place") shard.drain.begin();
      return resultOf(work);
    });
    const end = await shard.run();
    expect(end).toMatchObject({
      exit: "drained",
      verdict: { done: "", failed: [], stages: { segment: 1, place: 1, upscale: 0 } },
    });
    expect(shard.performed).toEqual(["segment", "place"]);
  });

  it("refuses stages without the one that they need", async () => {
    const shard = aShard(["cup"]);
    const end = await shard.run("pod-a", { ...shard.manifest, stages: ["upscale"] });
    expect(end.verdict.failed).toMatchObject([{ class: "config" }]);
  });

  it("fits a shard's worst verdict into the termination message", async () => {
    const ids = Array.from({ length: 24 }, (_, i) => `item-${i}-${"x".repeat(40)}`);
    const shard = aShard(ids, () => {
      throw new Failure("bad-input", "m".repeat(500));
    });
    expect(encodeVerdict((await shard.run()).verdict).length).toBeLessThanOrEqual(4096);
  });
});

describe("a shard that several OpalJobs share", () => {
  const part = (name: string, ids: readonly string[], firstSlot: number, changes: object = {}) => {
    const alone = aManifest({ items: ids.map((id) => ({ id, source: `raw/acme/${id}.jpg` })) });
    const items = alone.items.map((item) => ({ ...item, slot: firstSlot + item.index }));
    return { ...alone, job: name, uid: `uid-${name}`, attempt: 2, ...changes, items };
  };

  it("does each item as its own job's, and names it by its slot", async () => {
    const shard = aShard(["cup", "bad", "vase"], (work) => {
      if (photoOf(work) === "bad") throw new Failure("bad-input", "the file is not a picture");
      return resultOf(work);
    });
    const parts = [
      part("spring", ["cup"], 0),
      part("summer", ["bad"], 1),
      part("autumn", ["vase"], 2, { stages: ["segment"] }),
    ];
    const { exit, verdict } = await shard.run("pod-a", ...parts);
    const turns = [0, 1, 2].map((slot) => [slot, 1.5]);
    const failures = [{ index: 1, id: "bad", class: "bad-input", message: "the file is not a picture" }];
    expect({ exit, ...verdict }).toMatchObject({ exit: "done", done: "0,2", failed: failures, turns });
    expect(shard.seen.at(-1)).toMatchObject({ done: "0,2", failed: "1", failures, turns });
    const reportOf = (job: string, item: string) => {
      const ref = itemReportRef({ tenant: "acme", job, uid: `uid-${job}`, item });
      return ItemReport.parse(JSON.parse(new TextDecoder().decode(shard.blobs.stored.get(ref))));
    };
    expect(reportOf("spring", "cup")).toMatchObject({ index: 0, attempt: 2, outcome: "done" });
    expect(reportOf("summer", "bad")).toMatchObject({ index: 0, outcome: "failed" });
    expect(reportOf("autumn", "vase").stages.map(({ stage }) => stage)).toEqual(["segment"]);
    // What was found finished took none of the second pod's time.
    expect((await shard.run("pod-b", ...parts)).verdict).toMatchObject({ done: "0,2", turns: [] });
  });
});

it("asks for tiles as small as the manifest says", async () => {
  const scales: unknown[] = [];
  const shard = aShard(["cup"], (work) => {
    if (work.stage === "upscale") scales.push(work.tileScale);
    return resultOf(work);
  });
  await shard.run("pod-a", { ...shard.manifest, tileScale: 0.5 });
  expect(scales).toEqual([0.5]);
});

const softCut = {
  edgeBandPixels: 1,
  solidShare: 0,
  cutOff: [],
  laplacianVariance: 0,
  burntShare: 0,
  blackShare: 0,
};

it("holds a picture back that scores below the brand's bar, and names it for the reviewer", async () => {
  const shard = aShard(["cup"], (work) => {
    const result = resultOf(work);
    return work.stage === "segment" ? { ...result, facts: { ...result.facts, measures: softCut } } : result;
  });
  const end = await shard.run();
  expect(end.verdict).toMatchObject({ done: "", failed: [{ id: "cup", class: "needs-review" }] });
  const report = shard.reportOf("cup");
  expect(report).toMatchObject({
    outcome: "failed",
    failure: { class: "needs-review" },
    final: { output: expect.stringContaining("upscale-") as string },
  });
  expect(report?.quality?.score).toBeLessThan(50);
  expect(report?.quality?.reasons.map(({ code }) => code)).toContain("ghostly");
  expect(report?.failure?.message).toContain("hardly found");
});

it("delivers it where the brand asks for no score", async () => {
  const shard = aShard(["cup"], (work) => {
    const result = resultOf(work);
    return { ...result, facts: { ...result.facts, measures: softCut } };
  });
  const brand = { ...shard.manifest.brand, minScore: 0 };
  expect((await shard.run("pod-a", { ...shard.manifest, brand })).verdict.done).toBe("0");
});

it("leaves a recipe beside the report", async () => {
  const shard = aShard(["cup"]);
  await shard.run();
  const ref = shard.reportOf("cup")?.recipe ?? "";
  const recipe = Recipe.parse(JSON.parse(new TextDecoder().decode(shard.blobs.stored.get(ref))));
  expect(ref).toBe(recipeRef(shard.key("cup")));
  expect(recipe).toMatchObject({ machine: A_MACHINE, source: { ref: "raw/acme/cup.jpg" }, stages: STAGES });
  expect(recipe.made.map(({ stage }) => stage)).toEqual(STAGES);
});

it("reads the next photo while this one is worked on, each once", async () => {
  const reads: string[] = [];
  const atSegment: string[][] = [];
  const shard = aShard(["cup", "vase"], (work) => {
    if (work.stage === "segment") atSegment.push([...reads]);
    return resultOf(work);
  });
  const read = shard.blobs.read.bind(shard.blobs);
  shard.blobs.read = (ref, maxBytes) => {
    if (ref.startsWith("raw/")) reads.push(ref);
    return read(ref, maxBytes);
  };
  await shard.run();
  expect(atSegment[0]).toEqual(["raw/acme/cup.jpg", "raw/acme/vase.jpg"]);
  expect(reads).toHaveLength(2);
});
