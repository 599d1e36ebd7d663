import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { itemReportRef, stageRecordRef } from "#crds/blob-keys.ts";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { Recipe } from "./recipe.ts";
import {
  aManifest,
  eventually,
  photoBytes,
  readReport,
  renderAgain,
  startRunner,
  startStorage,
  testModels,
  type TestStorage,
} from "./testing.ts";

let storage: TestStorage;

beforeAll(async () => {
  storage = await startStorage();
  for (const name of ["bottle", "coffee", "dahlia"] as const) {
    await storage.put(`raw/acme/${name}.jpg`, await photoBytes(name));
  }
});
afterAll(() => storage[Symbol.asyncDispose]());

const photo = (id: string, name = id) => ({ id, source: `raw/acme/${name}.jpg` });
const keyOf = (manifest: ReturnType<typeof aManifest>, item: string) => ({
  tenant: manifest.tenant,
  job: manifest.job,
  uid: manifest.uid,
  item,
});

it("takes a photo through all stages and proves that the product is unchanged", async () => {
  const manifest = { ...aManifest({ items: [photo("bottle"), photo("coffee")] }), job: "whole" };
  const runner = await startRunner(storage, manifest, { name: "whole-1-0" });
  const end = await runner.end;
  expect(end.stderr).toBe("");
  expect(end.code).toBe(EXIT_CODES.done);
  expect(end.verdict).toMatchObject({
    done: "0-1",
    failed: [],
    stages: { segment: 2, place: 2, upscale: 2 },
  });

  const report = await readReport(storage, itemReportRef(keyOf(manifest, "bottle")));
  if (!report?.final || !report.fidelity) throw new Error("the report is incomplete");
  expect(report).toMatchObject({
    outcome: "done",
    source: { format: "jpeg", width: 1200, height: 1200 },
    fidelity: { maxAbsDifference: 0, meanAbsDifference: 0 },
  });
  expect(report.stages.map(({ stage }) => stage)).toEqual(["segment", "place", "upscale"]);
  expect(report.fidelity.corePixels).toBeGreaterThan(100_000);
  expect(report.models.map(({ name }) => name)).toEqual(["isnet-product", "esrgan-slim-x2"]);
  const { width, height } = await sharp(await storage.get(report.final.output)).metadata();
  expect([width, height]).toEqual([report.final.width, report.final.height]);

  const shard = end.logs.find(({ msg }) => msg === "shard") ?? {};
  expect(shard).toMatchObject({ correlationId: "test-correlation", tenant: "acme", exit: "done" });
  // However busy the machine is: a model on the main thread would hold the loop up for as long as it runs.
  expect(Number(shard["eventLoopMaxMillis"]) / 1000).toBeLessThan((report.stages[0]?.gpuSeconds ?? 0) / 2);
});

it("makes the same bytes again from the recipe and the photo", async () => {
  const manifest = { ...aManifest({ items: [photo("coffee")], brand: { seed: 7 } }), job: "recipe" };
  const end = await (await startRunner(storage, manifest, { name: "recipe-1-0" })).end;
  expect(end.verdict?.done).toBe("0");
  const report = await readReport(storage, itemReportRef(keyOf(manifest, "coffee")));
  expect(report?.quality?.score).toBeGreaterThan(80);
  const recipe = Recipe.parse(JSON.parse(String(await storage.get(report?.recipe ?? ""))));
  const { hashes } = await renderAgain(recipe, await photoBytes("coffee"), await testModels());
  expect(hashes).toEqual(recipe.made.map(({ stage, sha256 }) => ({ stage, sha256 })));
  expect(hashes).toHaveLength(3);
});

it("gives every bad photo its own verdict and finishes the rest", async () => {
  const text = new TextEncoder().encode("this is not a picture");
  const coffee = await photoBytes("coffee");
  const blank = sharp({ create: { width: 640, height: 480, channels: 3, background: "#d8d4cc" } }).jpeg();
  await storage.put("raw/acme/text.jpg", text);
  await storage.put("raw/acme/truncated.jpg", coffee.subarray(0, 40_000));
  await storage.put("raw/acme/blank.jpg", await blank.toBuffer());
  const manifest = {
    ...aManifest({
      items: [photo("text"), photo("truncated"), photo("blank"), photo("never-uploaded"), photo("dahlia")],
      brand: { placement: "transparent", upscale: 1 },
    }),
    job: "bad-photos",
  };
  const end = await (await startRunner(storage, manifest, { name: "bad-photos-1-0" })).end;
  expect(end.code).toBe(EXIT_CODES.done);
  expect(end.verdict?.done).toBe("4");
  expect(end.verdict?.failed.map((item) => [item.id, item.class])).toEqual([
    ["text", "bad-input"],
    ["truncated", "bad-input"],
    ["blank", "no-product"],
    ["never-uploaded", "missing-input"],
  ]);
  const report = await readReport(storage, itemReportRef(keyOf(manifest, "blank")));
  expect(report).toMatchObject({ outcome: "failed", failure: { class: "no-product" }, stages: [] });
});

it("goes on after the last finished stage when a pod was killed, and computes none twice", async () => {
  const manifest = { ...aManifest({ items: [photo("coffee"), photo("dahlia")] }), job: "killed" };
  const first = await startRunner(storage, manifest, { name: "killed-1-0-first" });
  await eventually("the first stage's record", () =>
    storage.get(stageRecordRef(keyOf(manifest, "coffee"), "segment")),
  );
  first.kill("SIGKILL");
  expect((await first.end).signal).toBe("SIGKILL");

  const end = await (await startRunner(storage, manifest, { name: "killed-1-0-second" })).end;
  expect(end.code).toBe(EXIT_CODES.done);
  expect(end.verdict?.stages).toEqual({ segment: 2, place: 2, upscale: 2 });
  const report = await readReport(storage, itemReportRef(keyOf(manifest, "coffee")));
  expect(report?.stages[0]?.pod).toBe("killed-1-0-first");
  const coffee = end.logs.find((line) => line["msg"] === "item" && line["item"] === "coffee");
  expect(Object.keys(coffee?.["seconds"] as object)).not.toContain("segment");

  const third = await (await startRunner(storage, manifest, { name: "killed-1-0-third" })).end;
  expect(third.code).toBe(EXIT_CODES.done);
  expect(third.verdict).toMatchObject({ done: "0-1", gpuSeconds: 0 });
});

it("ends with its own code when it is told to go, and loses no finished stage", async () => {
  const manifest = { ...aManifest({ items: [photo("bottle"), photo("dahlia")] }), job: "evicted" };
  const runner = await startRunner(storage, manifest, { name: "evicted-1-0" });
  await eventually("the first stage's record", () =>
    storage.get(stageRecordRef(keyOf(manifest, "bottle"), "segment")),
  );
  runner.kill("SIGTERM");
  const end = await runner.end;
  expect(end.code).toBe(EXIT_CODES.drained);
  expect(end.verdict).toMatchObject({ done: "", failed: [] });
  expect(end.verdict?.stages.segment).toBe(1);
});

it("drops a stage that does not end within the grace", async () => {
  const manifest = { ...aManifest({ items: [photo("bottle")] }), job: "hurried" };
  const runner = await startRunner(storage, manifest, {
    name: "hurried-1-0",
    env: { OPAL_GRACE_SECONDS: "0" },
  });
  await eventually("the place record", () => storage.get(stageRecordRef(keyOf(manifest, "bottle"), "place")));
  runner.kill("SIGTERM");
  const end = await runner.end;
  expect(end.code).toBe(EXIT_CODES.drained);
  expect(await storage.get(stageRecordRef(keyOf(manifest, "bottle"), "upscale"))).toBeUndefined();
});

it("refuses to work without its models", async () => {
  const manifest = { ...aManifest({ items: [photo("coffee")] }), job: "no-models" };
  const end = await (
    await startRunner(storage, manifest, { name: "no-models-1-0", env: { OPAL_MODELS_DIR: "/nonexistent" } })
  ).end;
  expect(end.code).toBe(EXIT_CODES.modelMissing);
  expect(end.verdict?.error).toMatchObject({ class: "model" });
});

it("names every wrong setting at once", async () => {
  const end = await (
    await startRunner(storage, aManifest({ items: [photo("coffee")] }), {
      name: "misconfigured",
      env: { OPAL_EXECUTION_PROVIDER: "tpu", OPAL_WORKING_PIXELS: "many" },
    })
  ).end;
  expect(end.code).toBe(EXIT_CODES.config);
  expect(end.stderr).toContain("OPAL_EXECUTION_PROVIDER");
  expect(end.stderr).toContain("OPAL_WORKING_PIXELS");
});
