/** Generated scenes in real runners, by a tiny model of random weights: what it paints is noise, all else is real. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { itemReportRef, stageRecordRef } from "#crds/blob-keys.ts";
import type { Brand } from "#crds/brand.ts";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { StageRecord } from "#crds/runner-report.ts";
import { Recipe } from "./recipe.ts";
import { PlaceFacts } from "./stages/facts.ts";
import {
  aManifest,
  modelsWithTiny,
  photoBytes,
  readReport,
  renderAgain,
  startRunner,
  startStorage,
  type TestStorage,
} from "./testing.ts";

let storage: TestStorage;
let modelsDir: string;

beforeAll(async () => {
  modelsDir = await modelsWithTiny();
  storage = await startStorage();
  await storage.put("raw/acme/coffee.jpg", await photoBytes("coffee"));
});
afterAll(async () => {
  await storage[Symbol.asyncDispose]();
  await rm(modelsDir, { recursive: true });
});

const BRAND: Partial<Brand> = {
  placement: "generated",
  prompt: "{colour} wall, {angle}",
  palette: ["#a8b896"],
  seed: 5,
  minScore: 0,
  upscale: 1,
  exports: ["1:1"],
};

function aScene(job: string, brand: Partial<Brand> = {}) {
  const items = [{ id: "coffee", source: "raw/acme/coffee.jpg" }];
  return { ...aManifest({ items, brand: { ...BRAND, ...brand } }), job };
}

const keyOf = ({ tenant, job, uid }: ReturnType<typeof aManifest>) => ({ tenant, job, uid, item: "coffee" });

function run(
  manifest: ReturnType<typeof aManifest>,
  name: string,
  env: Readonly<Record<string, string>> = {},
) {
  const scenes = { OPAL_SCENE_MODEL: "tiny", OPAL_SCENE_STEPS: "3", OPAL_SCENE_TRIES: "1" };
  return startRunner(storage, manifest, { name, env: { OPAL_MODELS_DIR: modelsDir, ...scenes, ...env } });
}

async function placed(manifest: ReturnType<typeof aManifest>) {
  const bytes = await storage.get(stageRecordRef(keyOf(manifest), "place"));
  return bytes && StageRecord.parse(JSON.parse(bytes.toString()));
}

it("paints round the untouched product, says so, and makes the same bytes again from the recipe", async () => {
  const manifest = aScene("painted");
  const end = await (await run(manifest, "painted-1-0")).end;
  expect(end.stderr).toBe("");
  expect(end.code).toBe(EXIT_CODES.done);
  const report = await readReport(storage, itemReportRef(keyOf(manifest)));
  expect(report).toMatchObject({
    hasGeneratedPixels: true,
    models: [{ name: "isnet-product" }, { name: "tiny", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  });
  const recipe = Recipe.parse(JSON.parse(String(await storage.get(report?.recipe ?? ""))));
  expect(recipe.generated).toMatchObject({
    prompt: "sage green wall, top down view",
    seed: 5,
    tries: 1,
    steps: 3,
    width: 64,
    height: 64,
  });
  const { made, hashes } = await renderAgain(recipe, await photoBytes("coffee"), modelsDir);
  expect(hashes).toEqual(recipe.made.map(({ stage, sha256 }) => ({ stage, sha256 })));
  const place = made.get("place");
  expect(PlaceFacts.parse(place?.facts).fidelity.maxAbsDifference).toBe(0);
  expect(place?.layers?.map(({ name }) => name)).toEqual(["mask", "cutout", "shadow"]);
});

it("goes on at the scene when a pod was killed while it painted one", async () => {
  const manifest = aScene("killed-painting");
  const env = { OPAL_SCENE_STEPS: "900", LOG_LEVEL: "debug" };
  const first = await run(manifest, "killed-painting-first", env);
  await first.logged("scene step");
  first.kill("SIGKILL");
  expect((await first.end).signal).toBe("SIGKILL");
  expect(await placed(manifest)).toBeUndefined();

  const end = await (await run(manifest, "killed-painting-second")).end;
  expect(end.code).toBe(EXIT_CODES.done);
  expect((await placed(manifest))?.pod).toBe("killed-painting-second");
  const report = await readReport(storage, itemReportRef(keyOf(manifest)));
  expect(report?.stages.map(({ stage, pod }) => [stage, pod])).toEqual([
    ["segment", "killed-painting-first"],
    ["place", "killed-painting-second"],
    ["upscale", "killed-painting-second"],
  ]);
});

it("ends with the code for missing models when there is no scene model", async () => {
  const end = await (
    await run(aScene("no-scene-model"), "no-scene-model", { OPAL_SCENE_MODEL: "absent" })
  ).end;
  expect(end.code).toBe(EXIT_CODES.modelMissing);
  expect(end.verdict?.error).toMatchObject({ class: "model", message: expect.stringContaining("absent") });
});

it("refuses a prompt in words, and paints nothing", async () => {
  const manifest = aScene("refused", { prompt: "oak table, gore" });
  const end = await (await run(manifest, "refused-1-0")).end;
  expect(end.verdict?.failed).toMatchObject([{ id: "coffee", class: "bad-input" }]);
  expect(await placed(manifest)).toBeUndefined();
});
