import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRanges } from "#crds/item-ranges.ts";
import { OpalJobItem } from "#crds/opaljob.ts";
import { manifestKey, ShardItem, ShardManifest } from "#crds/runner-report.ts";
import type { BlobStore } from "./blobs.ts";
import { BadSettings } from "./config.ts";

/** 100,000 items of the longest kind fit. */
const MAX_MANIFEST_BYTES = 128 * 1024 * 1024;

/** Reads the shard's manifest from the mounted ConfigMap. @throws {BadSettings} */
export async function readManifest(dir: string, shard: number): Promise<ShardManifest> {
  const path = join(dir, manifestKey(shard));
  try {
    return ShardManifest.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new BadSettings(`the shard's manifest ${path} cannot be used: ${String(cause)}`, { cause });
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

/**
 * The shard's items: listed in the manifest, or lines of a manifest blob (line 0 is item 0).
 * @throws {BadSettings | Failure}
 */
export async function readItems(manifest: ShardManifest, blobs: BlobStore): Promise<ShardItem[]> {
  const { itemsFrom } = manifest;
  if (!itemsFrom) return manifest.items;
  const bytes = await blobs.read(itemsFrom.manifest, MAX_MANIFEST_BYTES);
  if (!bytes) throw new BadSettings(`there is no manifest at ${itemsFrom.manifest}`);
  const lines = new TextDecoder().decode(bytes).split("\n");
  return parseRanges(itemsFrom.indexes).map((index) => parseLine(lines[index], index, itemsFrom.manifest));
}
