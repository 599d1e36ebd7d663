import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, memberLabel } from "#crds/names.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { manifestParts, type ShardVerdict } from "#crds/runner-report.ts";
import { isFinished } from "#crds/conditions.ts";
import { resourcesIn } from "./cluster/resources.ts";
import { parseMembers } from "./reconcile/shared-child.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  openTestCluster,
  type RunningOperator,
  startOperator,
  type TestCluster,
  type TestNamespace,
  verdictText,
} from "./testing.ts";

/** Tiny jobs on a real control plane; the test's hand plays the runner, one item of each pod at a time. */

let cluster: TestCluster;
let namespace: TestNamespace;
let hand: ReturnType<typeof createHand>;
const running: RunningOperator[] = [];

beforeAll(async () => {
  cluster = await openTestCluster();
});
afterAll(() => cluster.close());
afterEach(async () => {
  for (const operator of running.splice(0)) {
    operator.kill("SIGKILL");
    await operator.exited;
  }
  await namespace.remove();
});

async function aScene(gpus: number): Promise<void> {
  namespace = await createTestNamespace(cluster);
  hand = createHand(namespace);
  await namespace.client.patch(resourcesIn(namespace.name).gpuPools, namespace.name, {
    spec: { maxGpus: gpus },
  });
  const operator = startOperator(namespace);
  running.push(operator);
  await operator.ready;
}

const names = (count: number) =>
  Array.from({ length: count }, (_, n) => `tiny-${String(n).padStart(2, "0")}`);
const applyAll = async (count: number, more: object = {}) => {
  for (const name of names(count)) {
    await hand.apply(name, { items: [{ id: `of-${name}`, source: `raw/shop/${name}.jpg` }], ...more });
  }
};

interface RawChild {
  readonly metadata: {
    readonly name: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly { readonly name: string }[];
  };
}
const children = async () =>
  (await namespace.client.list(resourcesIn(namespace.name).jobs, {})).items as RawChild[];
const membersOf = ({ metadata }: RawChild) => {
  const text = metadata.annotations[ANNOTATIONS.members];
  return text === undefined ? [] : parseMembers(text).map(({ name }) => name);
};
const jobs = async () =>
  (await namespace.client.list(resourcesIn(namespace.name).opalJobs, {})).items.map((raw) =>
    OpalJob.parse(raw),
  );
const phases = async () =>
  Object.fromEntries((await jobs()).map(({ metadata, status }) => [metadata.name, status.phase]));

type Failure = ShardVerdict["failed"][number];
type Fate = (id: string) => "done" | "dies" | Pick<Failure, "class" | "message">;

/** Done, failed and turns of each pod that is at work, by name. */
type Work = Map<string, { done: number[]; failed: Failure[]; turns: [number, number][] }>;

/** Each live pod starts, does its next item, or ends. */
async function workOn(work: Work, fate: Fate): Promise<void> {
  for (const pod of await hand.livePods()) {
    const soFar = work.get(pod.metadata.name);
    if (!soFar) {
      work.set(pod.metadata.name, { done: [], failed: [], turns: [] });
      await hand.start(pod);
      continue;
    }
    const { done, failed, turns } = soFar;
    const items = manifestParts(JSON.parse(pod.metadata.annotations[ANNOTATIONS.manifest] ?? ""), 0).flatMap(
      (part) => part.items.map(({ id, index, slot = index }) => ({ id, slot })),
    );
    const next = items[done.length + failed.length];
    if (!next) {
      await hand.end(pod, EXIT_CODES.done, verdictText({ done: formatRanges(done), failed, turns }));
      continue;
    }
    const what = fate(next.id);
    if (what === "dies") {
      await hand.end(pod, EXIT_CODES.internal, "killed by its photo");
      continue;
    }
    if (what === "done") done.push(next.slot);
    else failed.push({ index: next.slot, id: next.id, ...what });
    turns.push([next.slot, turns.length + 1]);
    const progress = { done: formatRanges(done), failed: formatRanges(failed.map(({ index }) => index)) };
    await hand.report(pod, {
      v: 1,
      ...progress,
      failures: failed,
      turns,
      stages: {},
      gpuSeconds: turns.length,
    });
  }
}

async function untilAllHaveEnded(work: Work, fate: Fate): Promise<void> {
  await eventually(
    "all OpalJobs have ended",
    async () => {
      await workOn(work, fate);
      return (await jobs()).every(({ status }) => isFinished(status.conditions ?? []));
    },
    120_000,
  );
}

describe("many tiny jobs", () => {
  it("make few Jobs and pods; a bad photo fails alone, and a deleted job is missed by nobody", async () => {
    await aScene(2);
    await applyAll(40);
    const bad: Fate = (id) =>
      id === "of-tiny-21" ? { class: "bad-input", message: "not a picture" } : "done";
    const work: Work = new Map();
    const shared = await eventually("a shared child whose first item is done", async () => {
      await workOn(work, bad);
      const child = (await children()).find((one) => membersOf(one).length > 3);
      return child && [...work.values()].some(({ done }) => done.length > 0) && child;
    });
    const [leader = "", second = ""] = membersOf(shared);
    const last = membersOf(shared).at(-1) ?? "";
    const { opalJobs, jobs: childJobs } = resourcesIn(namespace.name);
    const found = await namespace.client.list(childJobs, { labelSelector: memberLabel(last) });
    expect(found.items.length).toBe(1);
    for (const gone of [leader, last]) await namespace.client.delete(opalJobs, gone);
    await untilAllHaveEnded(work, bad);
    const ended = await phases();
    expect(Object.keys(ended).length).toBe(38);
    expect(Object.entries(ended).filter(([, phase]) => phase !== "Complete")).toEqual([
      ["tiny-21", "Failed"],
    ]);
    const { status } = await hand.opalJob("tiny-21");
    expect(status.failedItems).toEqual([{ id: "of-tiny-21", class: "bad-input", message: "not a picture" }]);
    expect(ended[second]).toBe("Complete");
    // Kubernetes takes the deleted ones' references away and leaves the child.
    const made = await eventually(
      "the garbage collector has been there",
      async () => {
        const all = await children();
        const child = all.find(({ metadata }) => metadata.name === shared.metadata.name);
        const owners = child?.metadata.ownerReferences.map(({ name }) => name) ?? [];
        return !owners.includes(leader) && !owners.includes(last) && all;
      },
      60_000,
    );
    expect(made.map(({ metadata }) => metadata.name)).toContain(shared.metadata.name);
    const pods = (await namespace.client.list(resourcesIn(namespace.name).pods, {})).items.length;
    expect(made.length).toBeLessThanOrEqual(14);
    expect(pods).toBe(made.length);
  }, 240_000);

  it("survive one of them whose photo kills the pod: it fails alone", async () => {
    await aScene(1);
    await applyAll(8, { retry: { perItem: 0, infrastructure: 1 } });
    await untilAllHaveEnded(new Map(), (id) => (id === "of-tiny-03" ? "dies" : "done"));
    const ended = await phases();
    expect(Object.entries(ended).filter(([, phase]) => phase !== "Complete")).toEqual([
      ["tiny-03", "Failed"],
    ]);
    expect((await hand.opalJob("tiny-03")).status.attempts).toBe(2);
  }, 240_000);
});
