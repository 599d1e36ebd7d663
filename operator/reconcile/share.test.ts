import { describe, expect, it } from "vitest";
import { ANNOTATIONS } from "#crds/names.ts";
import { OpalQueueSpec } from "#crds/opalqueue.ts";
import { manifestParts } from "#crds/runner-report.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { standstillsOf } from "./failures/standstill.ts";
import type { Observed, SharedFacts } from "./observed.ts";
import { parseMembers } from "./shared-child.ts";
import { riderOf, shareOf, usableGpus, waitsForRoom, withPassengers } from "./share.ts";
import {
  aChild,
  admittedTo,
  anObserved,
  anOpalJob,
  aPod,
  aPool,
  aVerdict,
  settings,
  START_MS,
  waitingFor,
} from "./testing.ts";

const NOW_MS = START_MS + 60_000;

function aJob(name: string, items = 1, spec: object = {}): Observed {
  const job = anOpalJob({ items, spec, metadata: { name, uid: `uid-${name}` } });
  return anObserved({ job, placement: waitingFor });
}

/** The leader's launch with these waiting behind it. */
function launch(
  waiting: readonly Observed[],
  company: { items: number; gpus: number },
  leader = aJob("leader"),
) {
  const seen = { ...leader, placement: admittedTo("sim", 1) };
  const rider = riderOf(seen, settings)!;
  const others = waiting.map((one) => ({
    key: `opal/${one.job.metadata.name}`,
    rider: riderOf(one, settings)!,
  }));
  return withPassengers(
    decide(seen, settings, NOW_MS),
    { ...rider, company: { ...company, waiting: others } },
    settings,
  );
}

function passengersOf({ action }: Decision): readonly string[] {
  return (action.do === "launch" && action.passengers) || [];
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`);
const tiny = (count: number) => names(count).map((name) => aJob(name));

describe("a launch takes along", () => {
  it.each([
    { waiting: 39, items: 40, gpus: 4, taken: 9 },
    { waiting: 39, items: 40, gpus: 1, taken: 15 },
    { waiting: 3, items: 4, gpus: 8, taken: 0 },
    { waiting: 8, items: 9, gpus: 8, taken: 1 },
    { waiting: 0, items: 1, gpus: 1, taken: 0 },
  ])("$taken of $waiting, with $items items for $gpus GPUs", ({ waiting, items, gpus, taken }) => {
    const decision = launch(tiny(waiting), { items, gpus });
    expect(passengersOf(decision)).toEqual(names(taken).map((name) => `opal/${name}`));
  });

  it("jobs in their order: nobody is passed by a smaller one", () => {
    const waiting = [aJob("a", 2), aJob("b", 3), aJob("c", 1)];
    expect(passengersOf(launch(waiting, { items: 4, gpus: 1 }))).toEqual(["opal/a"]);
  });

  it("no more than a pod can carry", () => {
    const prompt = "sunlit marble ".repeat(140);
    const brand = { placement: "generated", prompt, negativePrompt: prompt };
    const waiting = names(15).map((name) => aJob(name, 1, { brand }));
    const decision = launch(waiting, { items: 16, gpus: 1 }, aJob("leader", 1, { brand }));
    expect(passengersOf(decision).length).toBeGreaterThan(3);
    expect(passengersOf(decision).length).toBeLessThan(10);
  });

  it("and makes one Job that belongs to all of them and is controlled by none", () => {
    const { action, because } = launch([aJob("a", 2), aJob("b")], { items: 4, gpus: 1 });
    if (action.do !== "launch") throw new Error("no launch");
    const { metadata, spec } = action.manifest;
    expect(because).toBe("Attempt 1: 1 item on 1 GPU of pool sim; 2 waiting jobs along with it.");
    expect(metadata.name).toBe("leader-1");
    expect(metadata.ownerReferences.map(({ name, controller }) => [name, controller])).toEqual([
      ["leader", false],
      ["a", false],
      ["b", false],
    ]);
    expect(metadata.labels).toMatchObject({ "opal.dev/job": "leader", "member.opal.dev/b": "" });
    expect(metadata.annotations).toMatchObject({ "opal.dev/items": "0-3", "opal.dev/shard-size": "4" });
    expect(parseMembers(metadata.annotations[ANNOTATIONS.members] ?? "")).toMatchObject([
      { name: "leader", attempt: 1, items: [0], firstSlot: 0 },
      { name: "a", uid: "uid-a", items: [0, 1], firstSlot: 1 },
      { name: "b", items: [0], firstSlot: 3 },
    ]);
    expect(spec).toMatchObject({ completions: 1, parallelism: 1 });
    const parts = manifestParts(
      JSON.parse(spec.template.metadata.annotations[ANNOTATIONS.manifest] ?? ""),
      0,
    );
    expect(
      parts.map(({ job, uid, items }) => [job, uid, items.map(({ index, slot }) => [index, slot])]),
    ).toEqual([
      ["leader", "uid-leader", [[0, 0]]],
      [
        "a",
        "uid-a",
        [
          [0, 1],
          [1, 2],
        ],
      ],
      ["b", "uid-b", [[0, 3]]],
    ]);
  });
});

describe("a job", () => {
  const key = (seen: Observed, changes: object = {}) => shareOf(seen, { ...settings, ...changes })?.key;
  const first = key(aJob("a"));
  it("may share with others of its tenant, queue, priority, and wishes, whatever its brand and deadline", () => {
    expect(first).toBeDefined();
    const other = {
      brand: { placement: "transparent" },
      deadline: "2026-02-01T00:00:00Z",
      stages: ["segment"],
    };
    expect(key(aJob("b", 3, other))).toBe(first);
  });

  it.each([
    { tenant: "other" },
    { priority: 1 },
    { gpu: { minVramGiB: 24 } },
    { gpu: { classes: ["t4"] } },
    { retry: { perItem: 0 } },
  ])("does not share with one of other wishes: %o", (spec) => {
    expect(key(aJob("b", 1, spec))).toBeDefined();
    expect(key(aJob("b", 1, spec))).not.toBe(first);
  });

  it.each([
    ["with a budget", aJob("b", 1, { budget: { gpuSeconds: 10 } })],
    ["of several shards", aJob("b", 9)],
    ["that could use several GPUs", aJob("b", 2, { gpu: { maxGpus: 2 } })],
    [
      "with its items in a blob",
      aJob("b", 1, { items: undefined, itemsFrom: { manifest: "raw/m", count: 1 } }),
    ],
    [
      "that has been tried",
      { ...aJob("b"), children: [aChild({ isEnded: true, failedShards: new Set([0]) })] },
    ],
    ["whose attempts nobody knows", anObserved({ job: anOpalJob({ status: { attempts: 1 } }) })],
  ])("goes alone %s", (_, seen) => {
    expect(key(seen)).toBeUndefined();
  });

  it("goes alone when that is the setting, and when Kueue admits", () => {
    expect(key(aJob("a"), { coalesce: { maxItems: 1 } })).toBeUndefined();
    expect(key(aJob("a"), { kueue: true })).toBeUndefined();
  });

  it("may ride again after a shared child that gave its GPU back, and not after one that crashed", () => {
    const rode = (changes: object) => ({ ...aJob("a"), children: [aChild({ shared: facts(), ...changes })] });
    expect(key(rode({ shared: facts({ isRetired: true }) }))).toBe(first);
    expect(key(rode({ failedShards: new Set([0]) }))).toBeUndefined();
  });
});

it("waits for room unless something is wrong with itself, its budget or its pools", () => {
  expect(waitsForRoom({ ...waitingFor, blockedOn: "quota" })).toBe(true);
  for (const blockedOn of ["pool", "queue", "budget", "job-budget", "stock-out"] as const) {
    expect(waitsForRoom({ ...waitingFor, blockedOn })).toBe(false);
  }
  expect(waitsForRoom(admittedTo("sim", 1))).toBe(false);
});

it.each([
  [{}, 8],
  [{ quotas: [{ class: "simulated", nominal: 3 }] }, 3],
  [{ cohort: "all", quotas: [{ class: "simulated", nominal: 3, borrowingLimit: 2 }] }, 5],
  [{ cohort: "all", quotas: [{ class: "simulated", nominal: 3 }] }, 8],
])("a queue of %o can have %i GPUs of a pool of eight", (spec, gpus) => {
  expect(usableGpus(aPool(), OpalQueueSpec.parse(spec))).toBe(gpus);
});

function facts(changes: Partial<SharedFacts> = {}): SharedFacts {
  return {
    members: 3,
    driver: "opal/other",
    isDriver: false,
    isAccountant: false,
    openItems: 2,
    isRetired: false,
    isAbandoned: false,
    pods: [],
    ...changes,
  };
}

describe("a member of a shared child", () => {
  const running = aPod();
  const child = aChild({ shared: facts({ pods: [running] }), pods: [{ ...running, phase: "Pending" }] });
  const driven = aChild({
    pods: [running],
    shared: facts({ driver: "opal/coffee", isDriver: true, isAccountant: true, pods: [running] }),
  });
  const doing = (seen: Observed) => decide(seen, settings, NOW_MS).action.do;

  it.each([
    ["suspended", { job: anOpalJob({ spec: { suspend: true } }), placement: undefined }],
    ["deleted", { deletedAtMs: NOW_MS, placement: undefined }],
    ["without GPUs in the plan", { placement: waitingFor }],
    ["planned for another pool", { placement: admittedTo("other", 1) }],
  ])("leaves it alone when it is %s", (_, changes) => {
    expect(doing(anObserved({ children: [child], ...changes }))).toBe("nothing");
  });

  it.each([
    ["suspended", { job: anOpalJob({ spec: { suspend: true } }), placement: undefined }, "nothing"],
    ["deleted", { deletedAtMs: NOW_MS, placement: undefined }, "nothing"],
    ["without GPUs in the plan", { placement: waitingFor }, "resize"],
    ["planned for another pool", { placement: admittedTo("other", 1) }, "resize"],
  ])("does, as its driver, %s: %o → %s", (_, changes, action) => {
    expect(doing(anObserved({ children: [driven], ...changes }))).toBe(action);
  });

  it("reads no events because it waits for its turn: the driver reads those of the pods as they are", () => {
    const onNode = {
      nodeName: "n",
      scheduledAtMs: START_MS,
      phase: "Pending" as const,
      startedAtMs: undefined,
    };
    const pod = aPod(onNode);
    const members = (is: Partial<SharedFacts>) =>
      aChild({ pods: [pod], shared: facts({ pods: [pod], ...is }) });
    const kinds = (is: Partial<SharedFacts>) =>
      standstillsOf(anObserved({ children: [members(is)] })).map(({ kind }) => kind);
    expect(kinds({})).toEqual([]);
    expect(kinds({ isDriver: true })).toEqual(["pod-not-starting"]);
    expect(kinds({ isDriver: true, pods: [{ ...pod, phase: "Running", startedAtMs: START_MS }] })).toEqual(
      [],
    );
  });

  it("goes on alone after a crash, whatever the pod said and without a retry", () => {
    const crashed = aPod({ phase: "Failed", exitCode: 78, finishedAtMs: NOW_MS });
    const job = anOpalJob({ spec: { retry: { perItem: 0 } }, status: { attempts: 1 } });
    const shared = facts({ driver: undefined, pods: [crashed] });
    const seen = anObserved({
      job,
      children: [aChild({ isEnded: true, failedShards: new Set([0]), pods: [crashed], shared })],
    });
    expect(decide(seen, settings, NOW_MS).action).toMatchObject({ do: "launch", attempt: { number: 2 } });
    expect(shareOf(seen, settings)).toBeUndefined();
  });

  it("stops it once nobody needs it and it will not end by itself", () => {
    const done = aPod({ phase: "Succeeded", finishedAtMs: NOW_MS, verdict: aVerdict({ done: "0" }) });
    const conditions = [
      {
        type: "Complete",
        status: "True",
        reason: "AllItemsDone",
        message: "",
        lastTransitionTime: "2026-01-01T12:00:00Z",
      },
    ];
    const seenWith = (shared: SharedFacts) =>
      anObserved({
        job: anOpalJob({ status: { conditions } }),
        children: [aChild({ pods: [done], shared })],
      });
    expect(doing(seenWith(facts()))).toBe("nothing");
    expect(doing(seenWith(facts({ isAbandoned: true })))).toBe("nothing");
    expect(doing(seenWith(facts({ isAbandoned: true, isAccountant: true })))).toBe("stop");
  });
});
