import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { stageRecordRef } from "#crds/blob-keys.ts";
import type { BlobStore } from "./blobs.ts";
import { type ExportedPicture, type ExportStore, processExport, type RefusedExport } from "./export-task.ts";
import { type ClassifiedFailure, Failure } from "./failure.ts";
import { readRights } from "./provenance/rights.ts";
import { memoryBlobs } from "./testing.ts";

const KEY = { tenant: "acme", job: "spring", uid: "0f8fad5b-d9cb-469f-a165-70867728950e", item: "vase" };
const MESSAGE = {
  v: 1,
  tenantId: KEY.tenant,
  jobId: KEY.job,
  itemId: KEY.item,
  uid: KEY.uid,
  source: "outputs/acme/vase.png",
  placement: "studio",
  productBox: { x: 80, y: 60, width: 40, height: 60 },
  contentBox: { x: 80, y: 60, width: 50, height: 64 },
  exports: ["1:1", "9:16"],
  correlationId: "test",
};

const asBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const SEGMENT_RECORD = {
  v: 1,
  stage: "segment",
  output: "outputs/acme/segment.png",
  sha256: "b".repeat(64),
  bytes: 1,
  width: 100,
  height: 120,
  seconds: 1,
  gpuSeconds: 0,
  attempt: 1,
  pod: "pod-a",
  finishedAt: "2026-01-01T00:00:00Z",
  facts: { touchesFrame: [], rights: { creator: "Ann Example" } },
};

/** A product of 40 × 60 on a scene of 200 × 240, and the same alone. */
async function scene() {
  const product = await sharp({ create: { width: 40, height: 60, channels: 3, background: "#aa3322" } })
    .png()
    .toBuffer();
  const at = { input: product, left: 80, top: 60 };
  const size = { width: 200, height: 240 };
  const clear = { r: 0, g: 0, b: 0, alpha: 0 };
  return {
    finished: await sharp({ create: { ...size, channels: 3, background: "#cccccc" } })
      .composite([at])
      .removeAlpha()
      .png()
      .toBuffer(),
    cutout: await sharp({ create: { ...size, channels: 4, background: clear } })
      .composite([at])
      .png()
      .toBuffer(),
  };
}

async function aWorker(changes: { blobs?: Partial<BlobStore>; store?: Partial<ExportStore> } = {}) {
  const blobs = memoryBlobs();
  const { finished, cutout } = await scene();
  blobs.stored.set(MESSAGE.source, finished);
  blobs.stored.set("outputs/acme/cutout.png", cutout);
  const exported: (ExportedPicture | RefusedExport)[][] = [];
  const failed: ClassifiedFailure[] = [];
  const store: ExportStore = {
    exported: (_, pictures) => {
      exported.push([...pictures]);
      return Promise.resolve(true);
    },
    failed: (_, failure) => {
      failed.push(failure);
      return Promise.resolve(true);
    },
    ...changes.store,
  };
  const deps = { blobs: { ...blobs, ...changes.blobs }, store };
  const deliver = (delivery = 1, body: unknown = MESSAGE) =>
    processExport({ body, delivery, maxDeliveries: 3 }, deps);
  /** What the first call marked as exported. */
  const made = () => (exported[0] ?? []).flatMap((one) => ("failure" in one ? [] : [one]));
  return { blobs, exported, made, failed, deliver };
}

describe("processExport", () => {
  it("cuts at the planned frames, and plans a cut where there is none", async () => {
    const worker = await aWorker();
    const frames = { "1:1": { x: 20, y: 40, width: 140, height: 140 } };
    expect(await worker.deliver(1, { ...MESSAGE, frames })).toEqual({ do: "complete", outcome: "exported" });
    expect(worker.made()).toMatchObject([
      {
        name: "1:1",
        blob_path: "exports/acme/spring.0f8fad5b/vase/1x1.jpg",
        content_type: "image/jpeg",
        width: 140,
        height: 140,
        quality: 90,
        validation: { passed: true },
      },
      { name: "9:16", width: 135, height: 240 },
    ]);
  });

  it.each([
    { format: "webp", extension: "webp", is: "webp" },
    { format: "avif", extension: "avif", is: "heif" },
    { format: "png", extension: "png", is: "png" },
  ])("writes $format where the brand asks for it", async ({ format, extension, is }) => {
    const worker = await aWorker();
    await worker.deliver(1, { ...MESSAGE, exports: ["1:1"], format, quality: 70 });
    const [made] = worker.made();
    expect(made?.blob_path).toMatch(new RegExp(`1x1\\.${extension}$`));
    const bytes = worker.blobs.stored.get(made?.blob_path ?? "");
    expect((await sharp(bytes).metadata()).format).toBe(is);
  });

  it("carries the photo's rights and how the picture came to be", async () => {
    const worker = await aWorker();
    worker.blobs.stored.set(stageRecordRef(KEY, "segment"), asBytes(SEGMENT_RECORD));
    await worker.deliver(1, { ...MESSAGE, exports: ["1:1"], hasGeneratedPixels: true });
    const [made] = worker.made();
    const header = await sharp(worker.blobs.stored.get(made?.blob_path ?? "")).metadata();
    expect(readRights(header)).toEqual({ creator: "Ann Example" });
    expect(header.xmp?.toString()).toContain("/compositeWithTrainedAlgorithmicMedia<");
  });

  it("exports the layers of the scene at its size", async () => {
    const worker = await aWorker();
    const layers = { cutout: "outputs/acme/cutout.png", shadow: "outputs/acme/cutout.png" };
    await worker.deliver(1, { ...MESSAGE, layers, exports: ["mask", "shadow", "cutout"] });
    expect(worker.made().map(({ name, width, height }) => [name, width, height])).toEqual([
      ["mask", 200, 240],
      ["shadow", 200, 240],
      ["cutout", 200, 240],
    ]);
    const mask = worker.blobs.stored.get("exports/acme/spring.0f8fad5b/vase/mask.png");
    const { data, info } = await sharp(mask).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
    expect([info.channels, data[0], data[90 * 200 + 100]]).toEqual([1, 0, 255]);
  });

  it("completes with what could be made and lists the rest with why", async () => {
    const worker = await aWorker();
    const exports = ["amazon-main", "1:1", "shadow"];
    const layers = { cutout: "outputs/acme/cutout.png" };
    expect(await worker.deliver(1, { ...MESSAGE, exports, layers })).toEqual({
      do: "complete",
      outcome: "exported",
      refused: ["amazon-main", "shadow"],
    });
    expect(worker.exported[0]).toMatchObject([
      {
        name: "amazon-main",
        failure: { class: "quality", message: expect.stringMatching(/1000 are asked/) },
      },
      { name: "1:1", validation: { passed: true } },
      { name: "shadow", failure: { message: "the picture has no shadow of its own" } },
    ]);
  });

  it("fails the item at once when no export could be made", async () => {
    const worker = await aWorker();
    const settlement = await worker.deliver(1, { ...MESSAGE, exports: ["amazon-main", "shadow"] });
    expect(settlement).toMatchObject({ outcome: "failed", failure: { class: "quality" } });
    expect(worker.failed[0]?.message).toMatch(/no export could be made; amazon-main: .*; shadow: /);
  });

  it("refuses a packshot of a product that the photo cuts off", async () => {
    const worker = await aWorker();
    const record = { ...SEGMENT_RECORD, facts: { touchesFrame: ["bottom"] } };
    worker.blobs.stored.set(stageRecordRef(KEY, "segment"), asBytes(record));
    await worker.deliver(1, { ...MESSAGE, exports: ["1:1", "bol"] });
    expect(worker.exported[0]?.[1]).toMatchObject({
      failure: { message: expect.stringMatching(/cuts the product off \(bottom\)/) },
    });
  });

  it("goes on without a record that cannot be understood", async () => {
    const worker = await aWorker();
    worker.blobs.stored.set(stageRecordRef(KEY, "segment"), new TextEncoder().encode("not json"));
    expect(await worker.deliver()).toMatchObject({ outcome: "exported" });
  });

  it("tells of the file that an earlier delivery had written", async () => {
    const worker = await aWorker();
    const theirs = await sharp({ create: { width: 9, height: 9, channels: 3, background: "#123456" } })
      .jpeg()
      .toBuffer();
    worker.blobs.stored.set("exports/acme/spring.0f8fad5b/vase/1x1.jpg", theirs);
    await worker.deliver(2, { ...MESSAGE, exports: ["1:1"] });
    expect(worker.made()).toMatchObject([
      { width: 9, height: 9, bytes: theirs.length, validation: { passed: false } },
    ]);
  });

  it("gives the same answer when it runs twice", async () => {
    const worker = await aWorker();
    await worker.deliver();
    await worker.deliver(2);
    expect(worker.exported[1]).toEqual(worker.exported[0]);
  });

  it("puts a malformed message aside", async () => {
    const worker = await aWorker();
    expect(await worker.deliver(1, { v: 2 })).toMatchObject({ do: "dead-letter", reason: "malformed" });
  });

  it("tries again while storage is gone, and fails the item at the last delivery", async () => {
    const read = () => Promise.reject(new Failure("storage", "no answer"));
    const worker = await aWorker({ blobs: { read } });
    expect(await worker.deliver(1)).toMatchObject({ do: "abandon", failure: { class: "storage" } });
    expect(await worker.deliver(3)).toMatchObject({ do: "complete", outcome: "failed" });
    expect(worker.failed).toMatchObject([{ class: "storage" }]);
  });

  it("fails the item at once when its picture is gone or unreadable", async () => {
    const worker = await aWorker();
    worker.blobs.stored.set(MESSAGE.source, new TextEncoder().encode("no picture"));
    expect(await worker.deliver()).toMatchObject({ outcome: "failed", failure: { class: "bad-input" } });
    worker.blobs.stored.delete(MESSAGE.source);
    expect(await worker.deliver()).toMatchObject({ outcome: "failed", failure: { class: "missing-input" } });
  });

  it("abandons the message when the database cannot be told", async () => {
    const down = () => Promise.reject(new Error("connection refused"));
    const worker = await aWorker({ store: { exported: down, failed: down } });
    expect(await worker.deliver(1)).toMatchObject({ do: "abandon" });
    expect(await worker.deliver(3)).toMatchObject({ do: "abandon" });
  });

  it("completes a repeat for an item that has its verdict already", async () => {
    const worker = await aWorker({ store: { exported: () => Promise.resolve(false) } });
    expect(await worker.deliver()).toMatchObject({ do: "complete" });
  });
});
