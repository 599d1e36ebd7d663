import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { stageRecordRef } from "#crds/blob-keys.ts";
import type { BlobStore } from "./blobs.ts";
import { type ExportedPicture, type ExportStore, processExport } from "./export-task.ts";
import { Failure } from "./failure.ts";
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

/** The `place` stage's record of a scene half as large as the finished picture. */
const PLACE_RECORD = {
  v: 1,
  stage: "place",
  output: "outputs/acme/place.png",
  sha256: "b".repeat(64),
  bytes: 1,
  width: 100,
  height: 120,
  seconds: 1,
  gpuSeconds: 0,
  attempt: 1,
  pod: "pod-a",
  finishedAt: "2026-01-01T00:00:00Z",
  facts: {
    placement: "studio",
    set: "sweep",
    scale: 1,
    productBox: { x: 40, y: 30, width: 20, height: 30 },
    contentBox: { x: 40, y: 30, width: 25, height: 32 },
    frames: { "1:1": { x: 10, y: 20, width: 70, height: 70 } },
    fidelity: { corePixels: 1, maxAbsDifference: 0, meanAbsDifference: 0 },
  },
};

async function aWorker(changes: { blobs?: Partial<BlobStore>; store?: Partial<ExportStore> } = {}) {
  const blobs = memoryBlobs();
  const picture = sharp({ create: { width: 200, height: 240, channels: 3, background: "#cccccc" } });
  blobs.stored.set(MESSAGE.source, await picture.png().toBuffer());
  const exported: ExportedPicture[][] = [];
  const failed: string[] = [];
  const store: ExportStore = {
    exported: (_, pictures) => {
      exported.push([...pictures]);
      return Promise.resolve(true);
    },
    failed: (_, failure) => {
      failed.push(failure.class);
      return Promise.resolve(true);
    },
    ...changes.store,
  };
  const deps = { blobs: { ...blobs, ...changes.blobs }, store };
  const deliver = (delivery = 1, body: unknown = MESSAGE) =>
    processExport({ body, delivery, maxDeliveries: 3 }, deps);
  return { blobs, exported, failed, deliver };
}

describe("processExport", () => {
  it("cuts at the planned frames, enlarged as the picture was, and plans a cut where there is none", async () => {
    const worker = await aWorker();
    worker.blobs.stored.set(
      stageRecordRef(KEY, "place"),
      new TextEncoder().encode(JSON.stringify(PLACE_RECORD)),
    );
    expect(await worker.deliver()).toEqual({ do: "complete", outcome: "exported" });
    expect(worker.exported[0]?.map(({ name, width, height }) => [name, width, height])).toEqual([
      ["1:1", 140, 140],
      ["9:16", 135, 240],
    ]);
    expect(worker.exported[0]?.[0]?.blob_path).toBe("exports/acme/spring.0f8fad5b/vase/1x1.jpg");
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
    expect(worker.failed).toEqual(["storage"]);
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
