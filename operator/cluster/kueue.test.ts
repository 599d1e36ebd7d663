import { expect, it } from "vitest";
import { OpalJob } from "#crds/opaljob.ts";
import { createFakeCluster, createFakeOperator, type FakeCluster, someSettings } from "./testing.ts";

const statusOf = ({ api }: FakeCluster) => OpalJob.parse(api.all("opaljobs")[0]).status;

it("leaves admission to Kueue: the child is suspended until somebody else resumes it, and never resized", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("dear", { gpuClass: "dear", pricePerGpuHour: 9 });
  await cluster.addPool("cheap", { gpuClass: "cheap", pricePerGpuHour: 1 });
  await cluster.addQueue("shop");
  const items = [0, 1, 2, 3].map((n) => ({ id: `item-${n}`, source: `raw/t/${n}.jpg` }));
  await cluster.applyOpalJob("job", {
    tenant: "shop",
    items,
    brand: { placement: "studio" },
    gpu: { maxGpus: 2 },
  });
  const operator = createFakeOperator(cluster, { settings: someSettings({ kueue: true }) });
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await operator.passAll();
      await cluster.step();
    }
  };

  await rounds(3);
  const [child] = cluster.api.all("jobs");
  expect(child?.spec).toMatchObject({ suspend: true, parallelism: 2 });
  expect(child?.metadata.labels).toMatchObject({
    "kueue.x-k8s.io/queue-name": "shop",
    "opal.dev/pool": "cheap",
  });
  expect(statusOf(cluster)).toMatchObject({ phase: "Queued" });
  expect(statusOf(cluster).conditions).toContainEqual(
    expect.objectContaining({ type: "Queued", status: "True", reason: "WaitingForKueue" }),
  );
  expect(cluster.api.all("pods")).toEqual([]);

  cluster.api.mutate("jobs", "job-1", (raw) => Object.assign(raw.spec ?? {}, { suspend: false }));
  await rounds(12);
  expect(statusOf(cluster)).toMatchObject({ phase: "Complete", items: { done: 4 } });
  expect(operator.writes).not.toContain("resizeJob");
});

it("takes a suspended OpalJob out of Kueue's hands by removing its child", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  const items = [{ id: "item-0", source: "raw/t/0.jpg" }];
  await cluster.applyOpalJob("job", { tenant: "shop", items, brand: { placement: "studio" } });
  const operator = createFakeOperator(cluster, { settings: someSettings({ kueue: true }) });
  await operator.passAll();
  cluster.api.mutate("opaljobs", "job", (raw) => Object.assign(raw.spec ?? {}, { suspend: true }));
  await operator.passAll();
  expect(cluster.api.all("jobs")).toEqual([]);
});
