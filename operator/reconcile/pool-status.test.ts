import { describe, expect, it } from "vitest";
import { GpuPool, GpuPoolStatus } from "#crds/gpupool.ts";
import type { PoolPlan } from "../schedule/plan.ts";
import { nextPoolStatus, type PoolSight } from "./pool-status.ts";
import { aPool, START_MS } from "./testing.ts";

const at = (seconds: number) => new Date(START_MS + seconds * 1000);

const plan: PoolPlan = {
  gpus: 8,
  inUse: 3,
  ending: 0,
  stockOut: undefined,
  stockedOutUntilMs: undefined,
};
const stockOut = { lastAtMs: START_MS, strength: 2 };

function aSight(changes: Partial<PoolSight> = {}): PoolSight {
  return {
    pool: aPool(),
    plan,
    nodes: 2,
    readyGpus: 8,
    assigned: 3,
    jobs: 2,
    running: 1,
    ended: [],
    ...changes,
  };
}

/** The pool after this was written to it. */
function written(status: GpuPoolStatus, pool = aPool()): GpuPool {
  return GpuPool.parse({ ...pool, status });
}

describe("a pool's status", () => {
  it("tells what there is, what is given to jobs, and what runs", () => {
    const status = nextPoolStatus(aSight(), at(0));
    expect(status).toMatchObject({ nodes: 2, ready: 8, assigned: 3, inUse: 1, jobs: 2 });
    expect(GpuPoolStatus.parse(status)).toEqual(status);
  });

  it.each([
    { what: "takes jobs", seen: {}, want: "True AcceptingJobs" },
    { what: "is closed", seen: { pool: aPool("sim", { maxGpus: 0 }) }, want: "False Closed" },
    {
      what: "is out of stock",
      seen: { plan: { ...plan, stockOut, stockedOutUntilMs: START_MS + 600_000 } },
      want: "False StockedOut",
    },
    {
      what: "was out of stock, and that is over",
      seen: { plan: { ...plan, stockOut, stockedOutUntilMs: START_MS + 30_000 } },
      want: "True AcceptingJobs",
    },
    {
      what: "is closed and out of stock",
      seen: {
        pool: aPool("sim", { maxGpus: 0 }),
        plan: { ...plan, stockOut, stockedOutUntilMs: START_MS + 600_000 },
      },
      want: "False Closed",
    },
  ])("of one that $what is $want", ({ seen, want }) => {
    const [available] = nextPoolStatus(aSight(seen), at(60)).conditions ?? [];
    expect(`${available?.status} ${available?.reason}`).toBe(want);
  });

  it("says when a pool that is out of stock is tried again", () => {
    const seen = aSight({ plan: { ...plan, stockOut, stockedOutUntilMs: START_MS + 600_000 } });
    const status = nextPoolStatus(seen, at(60));
    expect(status.conditions?.[0]?.message).toContain("is tried again at 2026-01-01T12:10:00Z");
    expect(status.stockOut).toEqual({
      lastAt: "2026-01-01T12:00:00Z",
      strength: 2,
      until: "2026-01-01T12:10:00Z",
    });
  });

  it("keeps what is remembered of a stock-out until the first plan is made, and lets a plan forget it", () => {
    const seen = aSight({ plan: { ...plan, stockOut, stockedOutUntilMs: START_MS + 600_000 } });
    const before = nextPoolStatus(seen, at(60));
    const pool = written(before);
    expect(nextPoolStatus(aSight({ pool, plan: undefined }), at(70)).stockOut).toEqual(before.stockOut);
    expect(nextPoolStatus(aSight({ pool }), at(70)).stockOut).toBeUndefined();
  });

  it("changes the time of its condition only with its status", () => {
    const first = nextPoolStatus(aSight(), at(0));
    const second = nextPoolStatus(aSight({ pool: written(first) }), at(60));
    expect(second.conditions?.[0]?.lastTransitionTime).toBe(at(0).toISOString());
    const closed = written(second, aPool("sim", { maxGpus: 0 }));
    const third = nextPoolStatus(aSight({ pool: closed }), at(90));
    expect(third.conditions?.[0]?.lastTransitionTime).toBe(at(90).toISOString());
  });

  it("is the same when nothing has changed", () => {
    const ended = [{ workload: "studio-2", images: 4, seconds: 20, stages: [], finishedAtMs: START_MS }];
    const first = nextPoolStatus(aSight({ ended }), at(10));
    expect(first.learnedAt).toBe(at(0).toISOString());
    expect(nextPoolStatus(aSight({ pool: written(first), ended }), at(99))).toEqual(first);
  });
});
