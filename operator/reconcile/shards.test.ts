import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_SHARD_ITEMS } from "#crds/runner-report.ts";
import { parseRanges } from "#crds/item-ranges.ts";
import { assess } from "./assess.ts";
import { desiredConfigMap } from "./manifest.ts";
import { nextAttempt, nextShardCount } from "./next-attempt.ts";
import { cutShards, shardSizeFor } from "./shards.ts";
import { anObserved, anOpalJob, settings } from "./testing.ts";

describe("shards", () => {
  it("hold every item once, in order, in sizes that differ by one at most", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.integer({ min: 1, max: 24 }), (items, size) => {
        const shards = cutShards(items, size);
        const sizes = shards.map((shard) => shard.length);
        expect(shards.flat()).toEqual(items);
        expect(shards).toHaveLength(Math.ceil(items.length / size));
        if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(size);
      }),
    );
  });

  it.each([
    { items: 100, shardSize: 8, maxGpus: 1, want: 8 },
    { items: 10, shardSize: 8, maxGpus: 5, want: 2 },
    { items: 3, shardSize: 8, maxGpus: 50, want: 1 },
    { items: 1000, shardSize: 500, maxGpus: 1, want: MAX_SHARD_ITEMS },
  ])("of $items items for $maxGpus GPUs have $want", ({ items, want, ...limits }) => {
    expect(shardSizeFor(items, limits)).toBe(want);
  });
});

const attemptOf = (job: ReturnType<typeof anOpalJob>) =>
  nextAttempt(job, assess(anObserved({ job })), settings)!;

describe("an attempt", () => {
  it("names each shard's items in a manifest of its own", () => {
    const job = anOpalJob({ items: 5, metadata: { annotations: { "opal.dev/correlation-id": "c-1" } } });
    const { data, metadata } = desiredConfigMap(job, attemptOf(job), { name: "coffee-1", uid: "job-uid" });
    expect(Object.keys(data)).toEqual(["0.json", "1.json"]);
    expect(JSON.parse(data["1.json"]!)).toMatchObject({
      v: 1,
      job: "coffee",
      uid: "uid-coffee",
      attempt: 1,
      shard: 1,
      correlationId: "c-1",
      items: [
        { id: "item-3", index: 3, source: "raw/shop/3.jpg" },
        { id: "item-4", index: 4 },
      ],
    });
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: "batch/v1", kind: "Job", name: "coffee-1", uid: "job-uid" },
    ]);
  });

  it("points into the manifest blob of a job that lists no items", () => {
    const itemsFrom = { manifest: "raw/shop/list.jsonl", count: 6 };
    const job = anOpalJob({ spec: { items: undefined, itemsFrom } });
    const { data } = desiredConfigMap(job, attemptOf(job), { name: "coffee-1", uid: "job-uid" });
    expect(JSON.parse(data["1.json"]!)).toMatchObject({
      items: [],
      itemsFrom: { manifest: "raw/shop/list.jsonl", indexes: "3-5" },
    });
  });

  it("holds no more than one ConfigMap can, and later attempts hold the rest", () => {
    const prompt = "sunlit marble ".repeat(142);
    const brand = { placement: "generated", prompt, negativePrompt: prompt };
    const job = anOpalJob({
      spec: { items: undefined, itemsFrom: { manifest: "raw/shop/list.jsonl", count: 100_000 }, brand },
    });
    const attempt = attemptOf(job);
    const { data } = desiredConfigMap(job, attempt, { name: "coffee-1", uid: "job-uid" });
    const bytes = Buffer.byteLength(JSON.stringify(data));
    expect(bytes).toBeLessThan(1024 * 1024);
    expect(attempt.items.length).toBeGreaterThan(500);
    expect(attempt.items.length).toBeLessThan(100_000);
    expect(attempt.items[0]).toBe(0);
  });

  it("tells the scheduler how many GPUs it could use before it exists", () => {
    const job = anOpalJob({ items: 10, spec: { gpu: { maxGpus: 4 } } });
    expect(nextShardCount(job, assess(anObserved({ job })), settings)).toBe(4);
    expect(parseRanges("0-9")).toEqual(attemptOf(job).items);
  });
});
