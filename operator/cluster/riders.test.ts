import { expect, it } from "vitest";
import { GpuPool } from "#crds/gpupool.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { OpalQueue } from "#crds/opalqueue.ts";
import { resourcesIn } from "./resources.ts";
import { createFakeCluster, createFakeOperator, NAMESPACE } from "./testing.ts";

const JOBS = 24;

/** What the statuses of the one queue and the one pool say. */
function told({ api }: ReturnType<typeof createFakeCluster>): {
  pending: number;
  admitted: number;
  jobs: number;
} {
  const [queue] = api.all("opalqueues").map((raw) => OpalQueue.parse(raw));
  const [pool] = api.all("gpupools").map((raw) => GpuPool.parse(raw));
  const { pending = 0, admitted = 0 } = queue?.status ?? {};
  return { pending, admitted, jobs: pool?.status.jobs ?? 0 };
}

it("an OpalQueue and a GpuPool count every job that rides in a shared child as what it is", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim", { maxGpus: 2 });
  await cluster.addQueue("default");
  for (let n = 0; n < JOBS; n++) {
    await cluster.applyOpalJob(`job-${String(n).padStart(2, "0")}`, {
      tenant: "shop",
      items: [{ id: `photo-${n}`, source: `raw/shop/${n}.jpg` }],
      brand: { placement: "studio" },
    });
    await cluster.clock.advance(1000);
  }
  const operator = createFakeOperator(cluster);
  const jobs = () => cluster.api.all("opaljobs").map((raw) => OpalJob.parse(raw));
  const isComplete = ({ status }: OpalJob) => status.phase === "Complete";
  let most = 0;
  for (let round = 0; round < 40 && !jobs().every(isComplete); round++) {
    for (let pass = 0; pass < 3; pass++) await operator.passAll();
    const { pending, admitted, jobs: onPool } = told(cluster);
    expect(pending + admitted).toBe(jobs().filter((job) => !isComplete(job)).length);
    expect(onPool).toBe(admitted);
    most = Math.max(most, admitted);
    await cluster.step();
  }
  expect(jobs().filter(isComplete)).toHaveLength(JOBS);
  expect(most).toBeGreaterThan(2);
});

it("a rider that is suspended or deleted is counted no more", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim", { maxGpus: 1 });
  await cluster.addQueue("default");
  const operator = createFakeOperator(cluster);
  const { opalJobs } = resourcesIn(NAMESPACE);
  for (let n = 0; n < 8; n++) {
    await cluster.applyOpalJob(`job-${n}`, {
      tenant: "shop",
      items: [{ id: `photo-${n}`, source: `raw/shop/${n}.jpg` }],
      brand: { placement: "studio" },
    });
  }
  const counted = async () => {
    for (let pass = 0; pass < 3; pass++) await operator.passAll();
    const { pending, admitted } = told(cluster);
    return pending + admitted;
  };
  expect(await counted()).toBe(8);
  const riders = operator.planner.keys.filter(
    (key) => operator.planner.placement(key) === undefined && operator.planner.sight(key)?.children.length,
  );
  const [one, other] = riders.map((key) => key.slice(NAMESPACE.length + 1));
  if (one === undefined || other === undefined) throw new Error("too few ride along");
  cluster.api.mutate("opaljobs", one, (raw) => Object.assign(raw.spec ?? {}, { suspend: true }));
  await cluster.api.delete(opalJobs, other);
  expect(await counted()).toBe(6);
});
