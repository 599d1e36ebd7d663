import { expect, it } from "vitest";
import { schedule } from "./scheduler.ts";
import { aPool, aRunningJob, aWorld, NOW_MS } from "./testing.ts";

it("a job that loses all its GPUs is told why, beside what it waits for", () => {
  const job = aRunningJob("loser", { pool: "t4", gpus: 2 });
  const plan = schedule(aWorld({ pools: [aPool("t4", { maxGpus: 0 })], jobs: [job] }), NOW_MS);
  expect(plan.placementOf("loser")).toMatchObject({
    kind: "waiting",
    change: { reason: "LimitLowered", because: "The pool or a quota became smaller." },
  });
});

it("a job that has none to lose is told only what it waits for", () => {
  const job = { ...aRunningJob("waiter", { pool: "t4", gpus: 2 }), holding: undefined };
  const plan = schedule(aWorld({ pools: [aPool("t4", { maxGpus: 0 })], jobs: [job] }), NOW_MS);
  expect(plan.placementOf("waiter")).not.toHaveProperty("change");
});
