import { describe, expect, it } from "vitest";
import { OpalJob } from "#crds/opaljob.ts";
import { memberLabel } from "#crds/names.ts";
import { GpuPool } from "#crds/gpupool.ts";
import { parseMembers } from "../reconcile/shared-child.ts";
import type { RawObject } from "../runtime/testing.ts";
import { resourcesIn } from "./resources.ts";
import { parseRunnerPod } from "./runner-pod.ts";
import {
  createFakeCluster,
  createFakeOperator,
  type FakeCluster,
  type FakeOperator,
  type FateOf,
  NAMESPACE,
  someSettings,
} from "./testing.ts";

const { opalJobs, gpuPools } = resourcesIn(NAMESPACE);

interface Scene {
  readonly cluster: FakeCluster;
  readonly operator: FakeOperator;
}

const specOf = (name: string, more: object = {}) => ({
  tenant: "shop",
  items: [{ id: `photo-of-${name}`, source: `raw/shop/${name}.jpg` }],
  brand: { placement: "studio" },
  ...more,
});
const names = (count: number) => Array.from({ length: count }, (_, n) => `job-${String(n).padStart(2, "0")}`);

/** So many jobs of one photo on so many GPUs. */
async function aScene(count: number, maxGpus: number, fate: FateOf = () => "done"): Promise<Scene> {
  const cluster = createFakeCluster(fate);
  await cluster.addPool("sim", { maxGpus });
  await cluster.addQueue("default");
  await applyAll(cluster, names(count));
  return { cluster, operator: createFakeOperator(cluster) };
}

/** One after another, so that the first is the leader. */
async function applyAll(cluster: FakeCluster, all: readonly string[], more: object = {}): Promise<void> {
  for (const name of all) {
    await cluster.applyOpalJob(name, specOf(name, more));
    await cluster.clock.advance(1000);
  }
}

async function rounds({ cluster, operator }: Scene, count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    await operator.passAll();
    await operator.passAll();
    await cluster.step();
  }
  await operator.passAll();
}

const jobs = ({ cluster }: Scene) => cluster.api.all("opaljobs").map((raw) => OpalJob.parse(raw));
const jobOf = (scene: Scene, name: string) => jobs(scene).find(({ metadata }) => metadata.name === name)!;
const phases = (scene: Scene) => [...new Set(jobs(scene).map(({ status }) => status.phase))];
const children = ({ cluster }: Scene) => cluster.api.all("jobs");
const membersOf = ({ metadata }: RawObject) => {
  const text = metadata.annotations?.["opal.dev/members"];
  return text === undefined ? [] : parseMembers(text).map(({ name }) => name);
};
const livePods = ({ cluster }: Scene) =>
  cluster.api.all("pods").filter((pod) => ["Pending", "Running"].includes(String(pod.status?.["phase"])));

describe("many tiny jobs", () => {
  it("share few children, smaller and smaller ones, and all end well", { timeout: 30_000 }, async () => {
    const scene = await aScene(24, 4);
    await rounds(scene, 1);
    // 24 items and 4 GPUs: a quarter of what is left, four times.
    expect(children(scene).map((child) => membersOf(child).length)).toEqual([6, 5, 4, 3]);
    await rounds(scene, 16);
    expect(phases(scene)).toEqual(["Complete"]);
    expect(children(scene).length).toBeLessThan(12);
    expect(scene.cluster.api.all("pods").length).toBe(children(scene).length);
  });

  it("ends each job when its own turn is over, and adds up to what the pods have used", async () => {
    const scene = await aScene(6, 1);
    await rounds(scene, 4);
    const done = jobs(scene).filter(({ status }) => status.phase === "Complete").length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(6);
    await rounds(scene, 12);
    expect(phases(scene)).toEqual(["Complete"]);
    const used = jobs(scene).reduce((sum, { status }) => sum + (status.usage?.gpuSeconds ?? 0), 0);
    const ran = scene.cluster.api.all("pods").map((pod) => {
      const { startedAtMs = 0, finishedAtMs = 0 } = parseRunnerPod(pod);
      return (finishedAtMs - startedAtMs) / 1000;
    });
    expect(used).toBeCloseTo(
      ran.reduce((sum, seconds) => sum + seconds, 0),
      6,
    );
    const learned = GpuPool.parse(scene.cluster.api.all("gpupools")[0]).status.speeds?.[0];
    // The first one's turn was over as soon as the models were there.
    expect(learned).toMatchObject({ images: 5 });
  });

  it("tells of one job only that it holds the GPU", async () => {
    const scene = await aScene(5, 1);
    await rounds(scene, 1);
    await scene.cluster.clock.advance(500);
    await scene.operator.passAll();
    const gpus = jobs(scene).map(({ status }) => status.assignment?.gpus ?? 0);
    expect(gpus.reduce((sum, count) => sum + count)).toBe(1);
    const admitted = jobs(scene).map(({ status }) =>
      status.conditions?.find(({ type }) => type === "Admitted"),
    );
    expect(new Set(admitted.map((condition) => condition?.message))).toEqual(
      new Set(["Shares Job job-00-1 on a GPU of pool sim with 4 other OpalJobs."]),
    );
    expect(children(scene)[0]?.metadata.labels).toHaveProperty([memberLabel("job-03")], "");
  });

  it("go alone when sharing is off, when their wishes differ, and when they have a budget", async () => {
    const cluster = createFakeCluster(() => "done");
    await cluster.addPool("sim", { maxGpus: 1 });
    await cluster.addQueue("default");
    await cluster.applyOpalJob("a", specOf("a"));
    await cluster.applyOpalJob("b", specOf("b", { retry: { perItem: 3 } }));
    await cluster.applyOpalJob("c", specOf("c", { budget: { gpuSeconds: 100 } }));
    await cluster.applyOpalJob("d", specOf("d", { gpu: { classes: ["simulated"] } }));
    await cluster.applyOpalJob("e", { ...specOf("e"), tenant: "other" });
    await cluster.applyOpalJob("f", specOf("f", { priority: -1 }));
    const scene = { cluster, operator: createFakeOperator(cluster) };
    await rounds(scene, 40);
    expect(
      children(scene)
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(["a-1", "b-1", "c-1", "d-1", "e-1", "f-1"]);
    const off = await aScene(5, 1);
    const settings = someSettings({ coalesce: { maxItems: 1 } });
    const operator = createFakeOperator(off.cluster, { settings });
    await rounds({ ...off, operator }, 20);
    expect(children(off).length).toBe(5);
  });
});

describe("in a shared child, one job never harms another:", () => {
  it("a bad photo fails alone, before the others have ended", async () => {
    const scene = await aScene(8, 1, ({ id }) =>
      id === "photo-of-job-01" ? { fails: "bad-input" } : "done",
    );
    await rounds(scene, 5);
    expect(jobOf(scene, "job-01").status).toMatchObject({
      phase: "Failed",
      failedItems: [{ class: "bad-input", message: "as the test wanted" }],
    });
    expect(jobOf(scene, "job-07").status.phase).not.toBe("Complete");
    await rounds(scene, 15);
    expect(jobs(scene).filter(({ status }) => status.phase === "Complete").length).toBe(7);
    expect(children(scene).length).toBe(1);
  });

  it("a photo that is tried again is tried alone, while the others go on", async () => {
    const scene = await aScene(6, 1, ({ id, attempt }) =>
      id === "photo-of-job-00" && attempt === 1 ? { fails: "storage" } : "done",
    );
    await rounds(scene, 25);
    expect(phases(scene)).toEqual(["Complete"]);
    expect(children(scene).map(({ metadata }) => metadata.name)).toEqual(["job-00-1", "job-00-2"]);
  });

  it("a photo that kills its pod fails alone; the others go on alone and lose no retry", async () => {
    const fate: FateOf = ({ id }) => (id === "photo-of-job-02" ? { exits: "internal" } : "done");
    const cluster = createFakeCluster(fate);
    await cluster.addPool("sim", { maxGpus: 1 });
    await cluster.addQueue("default");
    const retry = { perItem: 0, infrastructure: 1 };
    await applyAll(cluster, names(6), { retry });
    const scene = { cluster, operator: createFakeOperator(cluster) };
    await rounds(scene, 40);
    const phasesOf = Object.fromEntries(
      jobs(scene).map(({ metadata, status }) => [metadata.name, status.phase]),
    );
    expect(phasesOf).toEqual({
      ...Object.fromEntries(names(6).map((name) => [name, "Complete"])),
      "job-02": "Failed",
    });
    expect(jobOf(scene, "job-02").status.attempts).toBe(2);
    expect(jobOf(scene, "job-00").status.attempts).toBe(1);
  });

  it("a runner that is misconfigured for one of them fails that one", async () => {
    const scene = await aScene(4, 1, ({ id }) =>
      id === "photo-of-job-01" ? { exits: "modelMissing" } : "done",
    );
    await rounds(scene, 30);
    expect(jobOf(scene, "job-01").status.phase).toBe("Failed");
    expect(jobs(scene).filter(({ status }) => status.phase === "Complete").length).toBe(3);
  });

  it("deleting jobs, the leader too, and suspending one touch nobody", async () => {
    const scene = await aScene(6, 1);
    await rounds(scene, 1);
    await scene.cluster.api.delete(opalJobs, "job-00");
    await scene.cluster.api.delete(opalJobs, "job-03");
    scene.cluster.api.mutate("opaljobs", "job-02", (raw) => Object.assign(raw.spec ?? {}, { suspend: true }));
    await rounds(scene, 15);
    for (const name of ["job-01", "job-04", "job-05"])
      expect(jobOf(scene, name).status.phase).toBe("Complete");
    // What was in the shared child was finished there.
    expect(jobOf(scene, "job-02").status.items?.done).toBe(1);
    expect(children(scene).length).toBe(1);
    expect(livePods(scene)).toEqual([]);
  });

  it("the leader may be applied again under its name while the others still run", async () => {
    const scene = await aScene(12, 1);
    await rounds(scene, 1);
    await scene.cluster.api.delete(opalJobs, "job-00");
    await scene.cluster.applyOpalJob("job-00", specOf("job-00"));
    await rounds(scene, 40);
    expect(phases(scene)).toEqual(["Complete"]);
    expect(children(scene).map(({ metadata }) => metadata.name)).toEqual(["job-00-1", "job-00-2"]);
  });

  it("a pool that is closed sets all free, and they share a child in another", async () => {
    const scene = await aScene(6, 1);
    await scene.cluster.addPool("dear", { maxGpus: 1, pricePerGpuHour: 36 });
    // The dear pool is taken by somebody else at first.
    await rounds(scene, 3);
    await scene.cluster.api.delete(gpuPools, "sim");
    await rounds(scene, 40);
    expect(phases(scene)).toEqual(["Complete"]);
    expect(livePods(scene)).toEqual([]);
    const left = children(scene).filter((child) => child.spec?.["parallelism"] === 0);
    expect(left).toEqual([]);
  });

  it("a lost node costs time only", async () => {
    const scene = await aScene(6, 1);
    await rounds(scene, 2);
    await scene.cluster.loseNode("node-of-job-00-1-0-0");
    await rounds(scene, 30);
    expect(phases(scene)).toEqual(["Complete"]);
    expect(children(scene).length).toBe(1);
  });
});

it("a job that is being taken along gets nothing else, until the outcome has stayed unknown for long", async () => {
  const scene = await aScene(2, 2);
  const { planner } = scene.operator;
  planner.reserve(["opal/job-01"], true);
  await rounds(scene, 2);
  expect(children(scene).map(({ metadata }) => metadata.name)).toEqual(["job-00-1"]);
  expect(planner.placement("opal/job-01")).toBeUndefined();
  await scene.cluster.clock.advance(31_000);
  await rounds(scene, 4);
  expect(phases(scene)).toEqual(["Complete"]);
});
