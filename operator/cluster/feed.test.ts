import { describe, expect, it } from "vitest";
import { LABELS } from "#crds/names.ts";
import { toEntry } from "../runtime/reflector.ts";
import { createCaches, parseConfigMap, parseOpalJob, parseOpalQueue } from "./caches.ts";
import { feed } from "./feed.ts";
import { createMemory } from "./memory.ts";
import { parseRunnerPod } from "./runner-pod.ts";

/** `told` holds what was told of jobs, as `<key> <priority>`. */
function aFeed() {
  const caches = createCaches();
  const memory = createMemory();
  const told: string[] = [];
  feed(caches, memory, {
    onChanged: (key, priority) => told.push(`${key} ${priority}`),
    onWorldChanged() {},
    nowMs: () => 0,
  });
  return { caches, memory, told };
}

const metadataOf = (name: string, version: number) => ({
  name,
  namespace: "opal",
  uid: `uid-${name}`,
  resourceVersion: String(version),
  creationTimestamp: "2026-01-01T00:00:00Z",
});

const aJob = (name: string, version: number) =>
  toEntry(
    {
      metadata: metadataOf(name, version),
      spec: {
        tenant: "shop",
        brand: { placement: "studio" },
        items: [{ id: "cup", source: "raw/shop/cup.jpg" }],
      },
    },
    parseOpalJob,
  );

const aConfigMap = (name: string, version: number, opalJob: string) =>
  toEntry({ metadata: { ...metadataOf(name, version), labels: { [LABELS.job]: opalJob } } }, parseConfigMap);

describe("what has changed is told with the priority of how it was found:", () => {
  it("low for the first list, high for what somebody edits then", () => {
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

  it("urgent for what becomes of children, also by this process, whose pass goes on with it", () => {
    const { caches, told } = aFeed();
    caches.configMaps.written(aConfigMap("a-1", 4, "a"));
    caches.configMaps.watchedDelete("opal/a-1", "5");
    expect(told).toEqual(["opal/a urgent", "opal/a urgent"]);
  });
});

describe("a standby", () => {
  const aQueue = (version: number, at: string) =>
    toEntry(
      {
        metadata: { ...metadataOf("default", version), namespace: undefined },
        status: { usage: { at, classes: [] } },
      },
      parseOpalQueue,
    );

  function aPod(name: string, version: number, state: object) {
    const labels = { [LABELS.job]: "job", [LABELS.pool]: "pool", [LABELS.queue]: "default" };
    const containerStatuses = [{ name: "runner", state }];
    return toEntry(
      {
        metadata: { ...metadataOf(name, version), labels },
        status: { phase: "Running", containerStatuses },
      },
      parseRunnerPod,
    );
  }

  it("forgets who had a GPU once the leader has written it into the queue's account", () => {
    const { caches, memory } = aFeed();
    const startedAt = "2026-01-01T00:01:00Z";
    caches.opalQueues.replace([aQueue(1, "2026-01-01T00:00:00Z")], "1");
    caches.pods.watched(
      aPod("a", 2, { terminated: { startedAt, finishedAt: "2026-01-01T00:02:00Z", exitCode: 0 } }),
    );
    caches.pods.watched(aPod("b", 3, { running: { startedAt } }));
    expect(memory.ledger.of("default")).toHaveLength(2);
    caches.opalQueues.watched(aQueue(4, "2026-01-01T00:03:00Z"));
    expect(memory.ledger.of("default")).toMatchObject([{ endMs: undefined }]);
  });
});
