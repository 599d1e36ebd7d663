import { describe, expect, it } from "vitest";
import { NOW_MS, aJob, aPool, aQueue, aRunningJob, aWorld } from "../../operator/schedule/testing.ts";
import { changedWorld, compareWorlds } from "./counterfactual.ts";

const world = aWorld({
  pools: [aPool("t4", { maxGpus: 4 }), aPool("dear", { maxGpus: 4, pricePerGpuHour: 9 })],
  queues: [aQueue("default", { quotas: [{ gpuClass: "t4", nominal: 1 }] })],
  jobs: [aRunningJob("r", { pool: "t4", gpus: 1 }), aJob("w")],
});

describe("what if", () => {
  it("a queue had more GPUs", () => {
    const changed = changedWorld(world, { queue: "default", gpus: 1 });
    if (typeof changed === "string") throw new Error(changed);
    expect(compareWorlds(world, changed, NOW_MS)).toEqual({
      jobs: [{ job: "shop/w", before: "waits for quota", after: "1 GPU of t4", startsSooner: "" }],
      queues: [{ queue: "default", before: "1 t4, 1 waiting", after: "2 t4, 0 waiting" }],
    });
  });

  it("a pool were gone", () => {
    const changed = changedWorld(world, { withoutPool: "t4" });
    if (typeof changed === "string") throw new Error(changed);
    const { jobs } = compareWorlds(world, changed, NOW_MS);
    expect(jobs.map(({ job, after }) => `${job} ${after}`)).toEqual(["shop/r 1 GPU of dear"]);
  });

  it.each([
    [{}, /name one queue/],
    [{ queue: "nobody", gpus: 1 }, /no queue nobody/],
    [{ queue: "default", gpus: 1, gpuClass: "a100" }, /one of t4/],
    [{ pool: "t4", gpus: Number.NaN }, /whole number/],
    [{ withoutPool: "x" }, /no pool x/],
  ])("refuses %o", (wish, why) => {
    expect(changedWorld(world, wish)).toMatch(why);
  });
});
