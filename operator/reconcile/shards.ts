import { MAX_SHARD_ITEMS } from "#crds/runner-report.ts";

/** The work of one pod: indexes of the OpalJob's items, ascending. */
export type Shard = readonly number[];

/**
 * Cuts items into as few shards as `shardSize` allows, of sizes that differ by one at most. The same arguments
 * give the same shards, so a child's shards can always be derived from its annotations again.
 */
export function cutShards(items: readonly number[], shardSize: number): Shard[] {
  const count = Math.ceil(items.length / Math.max(1, shardSize));
  const smaller = Math.floor(items.length / count);
  const larger = items.length % count;
  const shards: Shard[] = [];
  let at = 0;
  for (let shard = 0; shard < count; shard++) {
    const size = shard < larger ? smaller + 1 : smaller;
    shards.push(items.slice(at, at + size));
    at += size;
  }
  return shards;
}

/** The size of shards that lets a job use as many GPUs as it may, within the setting and the contract. */
export function shardSizeFor(items: number, settings: { shardSize: number; maxGpus: number }): number {
  const evenly = Math.ceil(items / Math.max(1, settings.maxGpus));
  return Math.max(1, Math.min(settings.shardSize, MAX_SHARD_ITEMS, evenly));
}
