import fc from "fast-check";
import { expect, it } from "vitest";
import { isFinished } from "#crds/conditions.ts";
import { FAILURE_CLASSES } from "#crds/failure.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { MAX_STATUS_BYTES } from "../reconcile/status.ts";
import type { RawObject } from "../runtime/testing.ts";
import { createFakeCluster, createFakeOperator, type FakeCluster, type Fate, POOL_GPUS } from "./testing.ts";

/** Several jobs with items of any fate, on a small pool, with people who suspend and resume. */
const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("done") },
  { weight: 2, arbitrary: fc.constantFrom(...FAILURE_CLASSES).map((fails): Fate => ({ fails })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("internal" as const, "outOfMemory" as const, "storage" as const)
      .map((exits): Fate => ({ exits })),
  },
);

const jobs = fc.record({
  fates: fc.array(fates, { minLength: 1, maxLength: 7 }),
  maxGpus: fc.integer({ min: 1, max: 4 }),
  minGpus: fc.integer({ min: 1, max: 4 }),
  perItem: fc.integer({ min: 0, max: 2 }),
  infrastructure: fc.integer({ min: 0, max: 1 }),
  budget: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  suspendedDuring: fc.option(fc.tuple(fc.nat(8), fc.nat(8)), { nil: undefined }),
});
type JobPlan = typeof jobs extends fc.Arbitrary<infer T> ? T : never;

const MAX_ROUNDS = 300;

it("comes to rest with a verdict for every item, and never takes more GPUs than there are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(jobs, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 3, max: 40 }),
      converges,
    ),
    { numRuns: 60 },
  );
}, 60_000);

async function converges(plans: readonly JobPlan[], restartEvery: number): Promise<void> {
  const cluster = createFakeCluster(({ id }) => {
    const [, job, item] = id.split("-");
    return plans[Number(job)]?.fates[Number(item)] ?? "done";
  });
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  for (const [n, plan] of plans.entries()) await cluster.applyOpalJob(`job-${n}`, specOf(n, plan));
  let operator = createFakeOperator(cluster);
  let round = 0;
  for (; round < MAX_ROUNDS && !isOver(cluster); round++) {
    if (round % restartEvery === 0) operator = createFakeOperator(cluster);
    setSuspended(cluster, plans, round);
    await operator.passAll();
    await cluster.step();
    expect(livePods(cluster)).toBeLessThanOrEqual(POOL_GPUS);
  }
  expect(round, "rounds").toBeLessThan(MAX_ROUNDS);
  for (let rest = 0; rest < 3; rest++) {
    await operator.passAll();
    await cluster.step();
  }
  const { acted } = await operator.passAll();
  expect(acted).toBe(0);
  expect(livePods(cluster)).toBe(0);
  for (const [n, plan] of plans.entries()) checkEnd(cluster, `job-${n}`, plan);
}

function specOf(n: number, plan: JobPlan): object {
  return {
    tenant: "shop",
    items: plan.fates.map((_, item) => ({ id: `item-${n}-${item}`, source: `raw/t/${item}.jpg` })),
    brand: { placement: "studio" },
    gpu: { minGpus: Math.min(plan.minGpus, plan.maxGpus), maxGpus: plan.maxGpus },
    retry: { perItem: plan.perItem, infrastructure: plan.infrastructure },
    ...(plan.budget !== undefined && { budget: { gpuSeconds: plan.budget } }),
  };
}

function setSuspended({ api }: FakeCluster, plans: readonly JobPlan[], round: number): void {
  for (const [n, { suspendedDuring }] of plans.entries()) {
    if (!suspendedDuring) continue;
    const [from, length] = suspendedDuring;
    const set = (suspend: boolean) =>
      api.mutate("opaljobs", `job-${n}`, (raw) => Object.assign(raw.spec ?? {}, { suspend }));
    if (round === from) set(true);
    if (round === from + length) set(false);
  }
}

function isOver({ api }: FakeCluster): boolean {
  return api.all("opaljobs").every((raw) => isFinished(OpalJob.parse(raw).status.conditions ?? []));
}

function livePods({ api }: FakeCluster): number {
  return api.all("pods").filter((pod) => ["Pending", "Running"].includes(String(pod.status?.["phase"])))
    .length;
}

function isOfItem(fate: Fate): boolean {
  return fate === "done" || (typeof fate === "object" && "fails" in fate);
}

function checkEnd({ api }: FakeCluster, name: string, plan: JobPlan): void {
  const raw = api.all("opaljobs").find((object) => object.metadata.name === name) as RawObject;
  const { status } = OpalJob.parse(raw);
  const total = plan.fates.length;
  expect(status.items).toMatchObject({ total, pending: 0, running: 0 });
  expect((status.items?.done ?? 0) + (status.items?.failed ?? 0)).toBe(total);
  expect(JSON.stringify(status).length).toBeLessThanOrEqual(MAX_STATUS_BYTES);
  expect(status.assignment).toBeUndefined();
  const good = plan.fates.filter((fate) => fate === "done").length;
  if (plan.budget === undefined && plan.fates.every(isOfItem)) {
    expect(status.items?.done).toBe(good);
    // A first attempt, and as many further ones as an item may be tried again.
    expect(status.attempts).toBeLessThanOrEqual(1 + plan.perItem);
  }
}
