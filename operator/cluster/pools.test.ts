import { describe, expect, it } from "vitest";
import { OpalJob } from "#crds/opaljob.ts";
import { GpuPool } from "#crds/gpupool.ts";
import { resourcesIn } from "./resources.ts";
import {
  createFakeCluster,
  createFakeOperator,
  type FakeCluster,
  type FakeOperator,
  NAMESPACE,
} from "./testing.ts";

const { gpuPools, opalQueues } = resourcesIn(NAMESPACE);
const items = Array.from({ length: 8 }, (_, n) => ({ id: `item-${n}`, source: `raw/t/${n}.jpg` }));
const spec = { tenant: "shop", items, brand: { placement: "studio" } };

async function aScene(): Promise<{ cluster: FakeCluster; operator: FakeOperator }> {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("cheap", { gpuClass: "cheap", pricePerGpuHour: 1 });
  await cluster.addPool("dear", { gpuClass: "dear", pricePerGpuHour: 36 });
  await cluster.addQueue("default");
  return { cluster, operator: createFakeOperator(cluster) };
}

async function rounds({ cluster, operator }: Awaited<ReturnType<typeof aScene>>, count: number) {
  for (let round = 0; round < count; round++) {
    await operator.passAll();
    await cluster.step();
  }
  await operator.passAll();
}

const jobOf = ({ api }: FakeCluster) => OpalJob.parse(api.all("opaljobs")[0]);
const poolsOfChildren = ({ api }: FakeCluster) =>
  api.all("jobs").map(({ metadata }) => metadata.labels?.["opal.dev/pool"]);

describe("a job", () => {
  it("starts where a picture is cheapest, and costs what its pool costs", async () => {
    const scene = await aScene();
    await scene.cluster.applyOpalJob("job", spec);
    await rounds(scene, 25);
    const { status } = jobOf(scene.cluster);
    expect(status).toMatchObject({ phase: "Complete", items: { done: 8 } });
    expect(poolsOfChildren(scene.cluster)).toEqual(["cheap"]);
    const { gpuSeconds = 0, cost } = status.usage ?? {};
    expect(gpuSeconds).toBeGreaterThan(0);
    expect(cost).toBeCloseTo(gpuSeconds / 3600, 5);
  });

  it("goes on in another pool when its own is deleted", async () => {
    const scene = await aScene();
    await scene.cluster.applyOpalJob("job", spec);
    await rounds(scene, 4);
    await scene.cluster.api.delete(gpuPools, "cheap");
    await rounds(scene, 30);
    expect(jobOf(scene.cluster).status).toMatchObject({ phase: "Complete", items: { done: 8 } });
    expect(poolsOfChildren(scene.cluster)).toContain("dear");
  });

  it("waits for a queue when there is none, says so, and starts when one is there", async () => {
    const scene = await aScene();
    await scene.cluster.api.delete(opalQueues, "default");
    await scene.cluster.applyOpalJob("job", spec);
    await rounds(scene, 2);
    const queued = jobOf(scene.cluster).status.conditions?.find(({ type }) => type === "Queued");
    expect(queued).toMatchObject({ status: "True", reason: "NoSuchQueue" });
    await scene.cluster.addQueue("shop");
    await rounds(scene, 25);
    expect(jobOf(scene.cluster).status.phase).toBe("Complete");
  });

  it("goes on when its queue is deleted under it", async () => {
    const scene = await aScene();
    await scene.cluster.applyOpalJob("job", spec);
    await rounds(scene, 4);
    await scene.cluster.api.delete(opalQueues, "default");
    await rounds(scene, 6);
    // What runs goes on; nothing new is begun.
    expect(scene.cluster.api.all("jobs")[0]?.spec?.["parallelism"]).toBe(1);
    await scene.cluster.addQueue("default");
    await rounds(scene, 30);
    expect(jobOf(scene.cluster).status).toMatchObject({ phase: "Complete", items: { done: 8 } });
  });
});

it("a pool tells what it has, what is used, and how fast it was", async () => {
  const scene = await aScene();
  await scene.cluster.applyOpalJob("job", { ...spec, gpu: { maxGpus: 2 } });
  await rounds(scene, 4);
  const poolNow = () => GpuPool.parse(scene.cluster.api.all("gpupools")[0]).status;
  expect(poolNow()).toMatchObject({ assigned: 2, inUse: 2, jobs: 1 });
  await rounds(scene, 20);
  expect(poolNow()).toMatchObject({ assigned: 0, inUse: 0, jobs: 0 });
  expect(poolNow().speeds?.[0]).toMatchObject({ workload: "segment+place-studio+upscale-2x", images: 8 });
  expect(poolNow().stageSpeeds).toMatchObject([{ stage: "segment", images: 8, seconds: 0.5 }]);
});
