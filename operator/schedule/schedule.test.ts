import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GpuPool } from "#crds/gpupool.ts";
import { type Demand, type Placement, schedule, type World } from "./schedule.ts";

const pool: GpuPool = {
  name: "sim",
  spec: {
    gpuClass: "t4",
    resourceName: "nvidia.com/gpu",
    vramGiB: 16,
    nodeSelector: {},
    tolerations: [],
    maxGpus: 8,
    spot: false,
    pricePerGpuHour: 1,
    startTimeoutSeconds: 120,
    stockOutCooldownSeconds: 600,
  },
};

let age = 0;
function aDemand(key: string, changes: Partial<Demand> = {}): Demand {
  return {
    key,
    createdAtMs: age++,
    classes: [],
    minVramGiB: 0,
    minGpus: 1,
    maxGpus: 1,
    openShards: 10,
    held: 0,
    livePods: 0,
    ...changes,
  };
}

/** The plan in short: GPUs, or place in the queue and what blocks. */
function planOf(demands: Demand[], more: Partial<World> = {}): Record<string, string | number> {
  const plan = schedule({ pool, strayPods: 0, demands, ...more });
  const short = (placement: Placement) =>
    placement.kind === "admitted" ? placement.gpus : `${placement.position ?? "-"} ${placement.blockedOn}`;
  return Object.fromEntries([...plan].map(([key, placement]) => [key, short(placement)]));
}

describe("the plan", () => {
  it.each<{ name: string; demands: Demand[]; strayPods?: number; want: Record<string, string | number> }>([
    {
      name: "serves in the order of arrival, whatever the order of the list",
      demands: [
        aDemand("late", { createdAtMs: 9, maxGpus: 8 }),
        aDemand("early", { createdAtMs: 1, maxGpus: 8 }),
      ],
      want: { early: 8, late: "1 gpus" },
    },
    {
      name: "gives no job more GPUs than it has shards",
      demands: [aDemand("a", { maxGpus: 8, openShards: 3 }), aDemand("b", { maxGpus: 8 })],
      want: { a: 3, b: 5 },
    },
    {
      name: "starts a job with fewer GPUs than it may have",
      demands: [aDemand("a", { maxGpus: 6 }), aDemand("b", { maxGpus: 6 })],
      want: { a: 6, b: 2 },
    },
    {
      name: "lets no small job pass a large one that waits",
      demands: [
        aDemand("running", { held: 6, maxGpus: 6, livePods: 6 }),
        aDemand("large", { minGpus: 4, maxGpus: 4 }),
        aDemand("small"),
        aDemand("smaller"),
      ],
      want: { running: 6, large: "1 gpus", small: "2 order", smaller: "3 order" },
    },
    {
      name: "lets no running job grow past an older one that waits",
      demands: [
        aDemand("resumed", { minGpus: 4, maxGpus: 4 }),
        aDemand("running", { held: 5, maxGpus: 8, livePods: 5 }),
      ],
      want: { resumed: "1 gpus", running: 5 },
    },
    {
      name: "lets a running job grow into what is free before younger ones start",
      demands: [aDemand("running", { held: 2, maxGpus: 8, livePods: 2 }), aDemand("young")],
      want: { running: 8, young: "1 gpus" },
    },
    {
      name: "asks for no more than the shards that are left when minGpus is larger",
      demands: [aDemand("a", { minGpus: 4, maxGpus: 4, openShards: 2 })],
      want: { a: 2 },
    },
    {
      name: "counts pods that are still ending as GPUs taken",
      demands: [aDemand("a", { maxGpus: 8 })],
      strayPods: 3,
      want: { a: 5 },
    },
    {
      name: "counts a job's own pods that are still ending",
      demands: [aDemand("shrunk", { held: 1, livePods: 6 }), aDemand("b", { maxGpus: 8 })],
      want: { shrunk: 1, b: 2 },
    },
    {
      name: "passes over jobs that the pool can never take",
      demands: [
        aDemand("a100", { classes: ["a100"] }),
        aDemand("huge", { minVramGiB: 40 }),
        aDemand("wide", { minGpus: 9, maxGpus: 9 }),
        aDemand("fits", { classes: ["a100", "t4"] }),
      ],
      want: { a100: "- pool", huge: "- pool", wide: "- pool", fits: 1 },
    },
  ])("$name", ({ demands, strayPods = 0, want }) => {
    expect(planOf(demands, { strayPods })).toEqual(want);
  });

  it("says in one sentence what blocks a job and what would unblock it", () => {
    const demands = [
      aDemand("running", { held: 7, livePods: 7 }),
      aDemand("large", { minGpus: 4, maxGpus: 4 }),
      aDemand("small"),
      aDemand("smaller"),
      aDemand("a100", { classes: ["a100"] }),
    ];
    const plan = schedule({ pool, strayPods: 0, demands });
    const words = [...plan.values()].flatMap((one) => (one.kind === "waiting" ? [one.because] : []));
    expect(words.sort()).toEqual(
      [
        "1 job stands before it; the first waits for 4 GPUs of pool sim.",
        "2 jobs stand before it; the first waits for 4 GPUs of pool sim.",
        "Asks for GPU class a100; the only pool, sim, has t4.",
        "Starts when 4 GPUs of pool sim are free; 1 of 8 is.",
      ].sort(),
    );
  });
});

const someDemand = (n: number) =>
  fc.record({
    minGpus: fc.integer({ min: 1, max: 10 }),
    more: fc.integer({ min: 0, max: 10 }),
    openShards: fc.integer({ min: 1, max: 20 }),
    createdAtMs: fc.integer({ min: 0, max: 5 }),
    key: fc.constant(`job-${n}`),
  });
const someDemands = fc
  .integer({ min: 0, max: 12 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => someDemand(n))))
  .map((all) => all.map(({ more, ...one }) => aDemand(one.key, { ...one, maxGpus: one.minGpus + more })));

describe("in any world", () => {
  it("a plan that is carried out stays the same, and never exceeds the pool", () => {
    fc.assert(
      fc.property(someDemands, (demands) => {
        const plan = schedule({ pool, strayPods: 0, demands });
        const carriedOut = demands.map((demand) => {
          const placement = plan.get(demand.key);
          const held = placement?.kind === "admitted" ? placement.gpus : 0;
          return { ...demand, held, livePods: held };
        });
        const total = carriedOut.reduce((sum, demand) => sum + demand.held, 0);
        expect(total).toBeLessThanOrEqual(pool.spec.maxGpus);
        expect(schedule({ pool, strayPods: 0, demands: carriedOut })).toEqual(plan);
      }),
    );
  });

  it("every job that fits the pool is served in the end", () => {
    fc.assert(
      fc.property(someDemands, (demands) => {
        let left = demands.filter(
          (demand) => Math.min(demand.minGpus, demand.openShards) <= pool.spec.maxGpus,
        );
        for (let round = 0; left.length > 0; round++) {
          expect(round).toBeLessThanOrEqual(demands.length);
          const plan = schedule({ pool, strayPods: 0, demands: left });
          left = left.filter((demand) => plan.get(demand.key)?.kind !== "admitted");
        }
      }),
    );
  });

  it("the order of the list does not matter", () => {
    fc.assert(
      fc.property(someDemands, (demands) => {
        const there = schedule({ pool, strayPods: 0, demands });
        const back = schedule({ pool, strayPods: 0, demands: [...demands].reverse() });
        expect(Object.fromEntries(back)).toEqual(Object.fromEntries(there));
      }),
    );
  });
});
