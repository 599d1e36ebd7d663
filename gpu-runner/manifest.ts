import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRanges } from "#crds/item-ranges.ts";
import { OpalJobItem } from "#crds/opaljob.ts";
import { manifestKeys, manifestParts, type ShardItem, type ShardManifest } from "#crds/runner-report.ts";
import type { BlobStore } from "./blobs.ts";
import { BadSettings } from "./config.ts";

/** 100,000 items of the longest kind fit. */
const MAX_MANIFEST_BYTES = 128 * 1024 * 1024;

/** One item's work: what is done with it is told by the manifest of its OpalJob. */
export interface WorkItem {
  readonly manifest: ShardManifest;
  readonly item: ShardItem;
  /** The number by which progress and verdict name it. */
  readonly slot: number;
}

/** Reads the pod's manifest: one part, or one of each OpalJob that shares the pod. @throws {BadSettings} */
export async function readManifest(dir: string, shard: number): Promise<readonly ShardManifest[]> {
  try {
    return manifestParts(JSON.parse(await readFirst(dir, manifestKeys(shard))), shard);
  } catch (cause) {
    throw new BadSettings(`the manifest of shard ${shard} in ${dir} cannot be used: ${String(cause)}`, {
      cause,
    });
  }
}

/** @throws {Error} when none is there, or the first that is cannot be read */
async function readFirst(dir: string, files: readonly string[]): Promise<string> {
  for (const file of files) {
    const text = await readIfThere(join(dir, file));
    if (text !== undefined) return text;
  }
  throw new Error(`there is neither ${files.join(" nor ")}`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseLine(line: string | undefined, index: number, ref: string): ShardItem {
  if (line === undefined || line === "") throw new BadSettings(`the manifest ${ref} has no line ${index}`);
  try {
    return { ...OpalJobItem.parse(JSON.parse(line)), index };
  } catch (cause) {
    throw new BadSettings(`line ${index} of the manifest ${ref} is not an item: ${String(cause)}`, { cause });
  }
}

/** The work of all parts, in their order. @throws {BadSettings | Failure} */
export async function readWork(parts: readonly ShardManifest[], blobs: BlobStore): Promise<WorkItem[]> {
  const work: WorkItem[] = [];
  for (const manifest of parts) {
    for (const item of await readItems(manifest, blobs)) {
      work.push({ manifest, item, slot: item.slot ?? item.index });
    }
  }
  return work;
}

/**
 * A part's items: listed in it, or lines of a manifest blob (line 0 is item 0).
 * @throws {BadSettings | Failure}
 */
async function readItems(manifest: ShardManifest, blobs: BlobStore): Promise<ShardItem[]> {
  const { itemsFrom } = manifest;
  if (!itemsFrom) return manifest.items;
  const bytes = await blobs.read(itemsFrom.manifest, MAX_MANIFEST_BYTES);
  if (!bytes) throw new BadSettings(`there is no manifest at ${itemsFrom.manifest}`);
  const lines = new TextDecoder().decode(bytes).split("\n");
  return parseRanges(itemsFrom.indexes).map((index) => parseLine(lines[index], index, itemsFrom.manifest));
}
