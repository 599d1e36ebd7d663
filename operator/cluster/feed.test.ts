import { describe, expect, it } from "vitest";
import { createCaches, parseOpalJob } from "./caches.ts";
import { feed } from "./feed.ts";
import { createMemory } from "./memory.ts";

/** Everything that was told of a job, as `<key> <priority>`. */
function aFeed() {
  const caches = createCaches();
  const told: string[] = [];
  feed(caches, createMemory(), {
    onChanged: (key, priority) => told.push(`${key} ${priority}`),
    onWorldChanged() {},
    nowMs: () => 0,
  });
  return { caches, told };
}

function aJob(name: string, version: number) {
  const metadata = { name, namespace: "opal", uid: `uid-${name}`, resourceVersion: String(version) };
  const spec = {
    tenant: "shop",
    brand: { placement: "studio" },
    items: [{ id: "cup", source: "raw/shop/cup.jpg" }],
  };
  const value = parseOpalJob({
    apiVersion: "opal.dev/v1alpha1",
    kind: "OpalJob",
    metadata: { ...metadata, generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec,
  });
  return { key: `opal/${name}`, uid: metadata.uid, resourceVersion: metadata.resourceVersion, value };
}

const aConfigMap = (name: string, version: number, opalJob: string) => ({
  key: `opal/${name}`,
  uid: `uid-${name}`,
  resourceVersion: String(version),
  value: { opalJob },
});

describe("what has changed is told with the priority of how it was found:", () => {
  it("low for the first list, high for what the watch brings then", () => {
    const { caches, told } = aFeed();
    caches.opalJobs.replace([aJob("a", 1), aJob("b", 2)], "2");
    caches.opalJobs.watched(aJob("b", 3));
    expect(told).toEqual(["opal/a low", "opal/b low", "opal/b high"]);
  });

  it("low for a list after a gap, which tells only what is new to it", () => {
    const { caches, told } = aFeed();
    caches.opalJobs.replace([aJob("a", 1), aJob("b", 2), aJob("c", 3)], "3");
    told.length = 0;
    caches.opalJobs.replace([aJob("a", 1), aJob("b", 5)], "6");
    expect(told).toEqual(["opal/c low", "opal/b low"]);
  });

  it("high for what was written by this process, whose pass goes on with it", () => {
    const { caches, told } = aFeed();
    caches.configMaps.written(aConfigMap("a-1", 4, "a"));
    caches.configMaps.watchedDelete("opal/a-1", "5");
    expect(told).toEqual(["opal/a high", "opal/a high"]);
  });
});
