/**
 * Pulls a model's folder: every file is brought beside its place, checked, and only the whole folder takes its name.
 * What came before an interruption is kept for the next time. source-file: where from (http-source, disk-source).
 * keep-file: one file. folder-lock: what was got.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FolderEntry, type FolderFile, OUTSIDE_WEIGHTS } from "../folder-catalogue.ts";
import { type FolderLock, LOCK_FILE, parseLock, writeLock } from "./folder-lock.ts";
import { type Kept, keepFile } from "./keep-file.ts";
import { PullError, type Source, type SourceFile } from "./source-file.ts";

export interface PullProgress {
  readonly path: string;
  /** Of all files, with what came before. */
  readonly bytes: number;
  /** Undefined where a server does not say how long a file is. */
  readonly totalBytes: number | undefined;
}

export interface Pull {
  readonly entry: FolderEntry;
  readonly source: Source;
  /** How the source was named, for the lock. */
  readonly from: string;
  /** The folder's name is the model's. */
  readonly dir: string;
  /** SHA-256 by path, beside those of the catalogue: what differs is refused. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface Pulled {
  readonly folder: string;
  readonly lock: FolderLock;
  readonly wasThere: boolean;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

function checkPin(path: string, got: string, { entry, pins }: Pull): void {
  const known = entry.files.find((file) => file.path === path)?.sha256;
  for (const wanted of [known, pins?.[path]]) {
    if (wanted !== undefined && wanted !== got) {
      throw new PullError(`${path} has the wrong content: wanted SHA-256 ${wanted}, got ${got}`);
    }
  }
}

/** A pin names a file that must be there. */
function checkPinned(lock: FolderLock, pull: Pull): void {
  for (const path of Object.keys(pull.pins ?? {})) {
    if (!lock.files[path]) throw new PullError(`${path} is pinned, but ${pull.from} does not have it`);
  }
  for (const [path, { sha256 }] of Object.entries(lock.files)) checkPin(path, sha256, pull);
}

interface Found {
  readonly path: string;
  readonly file: SourceFile;
}

async function findFiles({ entry, source, from }: Pull): Promise<Found[]> {
  const found: Found[] = [];
  const missing: FolderFile[] = [];
  for (const wanted of entry.files) {
    const file = await source.open(wanted.path);
    if (file) found.push({ path: wanted.path, file });
    else if (wanted.required) missing.push(wanted);
  }
  if (missing.length === 0) return found;
  throw new PullError(
    `${from} is no whole ${entry.name}: it lacks ${missing.map(({ path }) => path).join(", ")}`,
  );
}

/** Another version of a file is another name: nothing is joined that does not belong together. */
const asideName = ({ path, file }: Found) =>
  createHash("sha256")
    .update(`${path}\n${file.validator ?? ""}\n${file.bytes ?? ""}`)
    .digest("hex")
    .slice(0, 24);

function progressOf(found: readonly Found[], tell: Pull["onProgress"]) {
  const lengths = found.map(({ file }) => file.bytes);
  const totalBytes = lengths.reduce(
    (sum, more) => (sum === undefined || more === undefined ? undefined : sum + more),
    0,
  );
  let bytes = 0;
  return (path: string) => (more: number) => tell?.({ path, bytes: (bytes += more), totalBytes });
}

/** Only files with weights outside are small enough to be read for a mention of them. */
const SMALL_NETWORK_BYTES = 64 * 2 ** 20;

async function checkOutsideWeights(
  aside: ReadonlyMap<string, string>,
  files: FolderLock["files"],
): Promise<void> {
  for (const [path, at] of aside) {
    if (!path.endsWith("/model.onnx") || (files[path]?.bytes ?? 0) > SMALL_NETWORK_BYTES) continue;
    const content = await readFile(at);
    for (const name of OUTSIDE_WEIGHTS) {
      if (content.includes(name) && !files[join(dirname(path), name)]) {
        throw new PullError(`${path} keeps its weights in ${name}, which the source lacks`);
      }
    }
  }
}

/** Whole or not at all: a folder takes its name when all is in it. */
async function putTogether(
  folder: string,
  aside: ReadonlyMap<string, string>,
  lock: FolderLock,
): Promise<void> {
  const whole = `${folder}.whole`;
  await rm(whole, { recursive: true, force: true });
  for (const [path, at] of aside) {
    await mkdir(dirname(join(whole, path)), { recursive: true });
    await rename(at, join(whole, path));
  }
  await writeFile(join(whole, LOCK_FILE), writeLock(lock), { flush: true });
  await rename(whole, folder);
}

async function alreadyThere(folder: string, pull: Pull): Promise<Pulled | undefined> {
  if (!(await isThere(folder))) return undefined;
  const text = await readFile(join(folder, LOCK_FILE), "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new PullError(`${folder} is there, but was not pulled: move it away, or use it as it is`);
  }
  const lock = parseLock(text);
  checkPinned(lock, pull);
  return { folder, lock, wasThere: true };
}

async function bringAll(found: readonly Found[], folder: string, pull: Pull) {
  const tell = progressOf(found, pull.onProgress);
  const aside = new Map<string, string>();
  const files: Record<string, Kept> = {};
  for (const one of found) {
    const at = join(folder, asideName(one));
    const kept = await keepFile(one.file, at, tell(one.path));
    try {
      checkPin(one.path, kept.sha256, pull);
    } catch (error) {
      await rm(at, { force: true });
      throw error;
    }
    aside.set(one.path, at);
    files[one.path] = kept;
  }
  return { aside, files };
}

/**
 * Two at once must be kept apart by the caller.
 * @throws {PullError} with what is missing or wrong; the folder is then not there.
 */
export async function pullFolder(pull: Pull): Promise<Pulled> {
  const { entry, dir, from } = pull;
  const folder = join(dir, entry.name);
  const there = await alreadyThere(folder, pull);
  if (there) return there;
  const found = await findFiles(pull);
  const coming = `${folder}.coming`;
  await mkdir(coming, { recursive: true });
  const { aside, files } = await bringAll(found, coming, pull);
  const { name, licence, source } = entry;
  const lock: FolderLock = { name, licence, source, pulledFrom: from, files };
  checkPinned(lock, pull);
  await checkOutsideWeights(aside, files);
  await putTogether(folder, aside, lock);
  await rm(coming, { recursive: true, force: true });
  return { folder, lock, wasThere: false };
}
