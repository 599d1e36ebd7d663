import { describe, expect, it } from "vitest";
import { schedule } from "./scheduler.ts";
import { NOW_MS, aJob, aPool, aQueue, aRunningJob, aWorld, carriedOut, shortPlan } from "./testing.ts";
import { DEFAULT_SETTINGS, type JobState, type PoolState, type World } from "./world.ts";

/**
 * What the scheduler does, as a table to read. A plan is written in short: `t4×2` holds two GPUs of pool t4;
 * `1 gpus` is first in its queue and waits for GPUs; `← Reason` gives GPUs back because of it.
 */
interface Scenario {
  readonly name: string;
  readonly world: Partial<World>;
  readonly want: Readonly<Record<string, string>>;
}

const jobs = (queue: string, count: number, changes: Partial<JobState> = {}) =>
  Array.from({ length: count }, (_, n) =>
    aJob(`${queue}${n + 1}`, { queue, createdAtMs: NOW_MS - 1000 + n, ...changes }),
  );
const t4Quota = (nominal: number, limits: { borrowingLimit?: number; lendingLimit?: number } = {}) => ({
  quotas: [{ gpuClass: "t4", nominal, ...limits }],
});
const priced = (name: string, pricePerGpuHour: number, changes: Partial<PoolState> = {}) =>
  aPool(name, {
    pricePerGpuHour,
    spot: name === "spot",
    secondsPerImage: { studio: { p50: 10, p90: 13 } },
    ...changes,
  });

const ORDER: Scenario[] = [
  {
    name: "priority, then deadline, then age, then the uid",
    world: {
      pools: [aPool("t4", { maxGpus: 1 })],
      jobs: [
        aJob("b-young", { createdAtMs: 2 }),
        aJob("c-old", { createdAtMs: 1 }),
        aJob("a-young", { createdAtMs: 2 }),
        aJob("due", { createdAtMs: 3, deadlineMs: NOW_MS + 10_000_000 }),
        aJob("urgent", { createdAtMs: 4, priority: 1 }),
      ],
    },
    want: { urgent: "t4×1", due: "1 gpus", "c-old": "2 order", "a-young": "3 order", "b-young": "4 order" },
  },
  {
    name: "an elastic job takes what is free up to maxGpus, and no more than it has shards",
    world: {
      jobs: [aJob("few", { maxGpus: 8, openShards: 3, createdAtMs: 1 }), aJob("more", { maxGpus: 8 })],
    },
    want: { few: "t4×3", more: "t4×5" },
  },
  {
    name: "a gang starts with all of minGpus or not at all",
    world: {
      jobs: [aRunningJob("running", { pool: "t4", gpus: 5 }), aJob("gang", { minGpus: 4, maxGpus: 4 })],
    },
    want: { running: "t4×5", gang: "1 gpus" },
  },
  {
    name: "with fewer shards left it gives GPUs back",
    world: { jobs: [aRunningJob("ending", { pool: "t4", gpus: 4 }, { openShards: 1 })] },
    want: { ending: "t4×1 ← FewerShards" },
  },
  {
    name: "no small job passes a large one that has waited long",
    world: {
      jobs: [
        aRunningJob("running", { pool: "t4", gpus: 6 }),
        aJob("large", { minGpus: 4, maxGpus: 4, createdAtMs: 1 }),
        aJob("small", { createdAtMs: 2 }),
      ],
    },
    want: { running: "t4×6", large: "1 gpus", small: "2 order" },
  },
  {
    name: "one that is surely done in time may pass it, and a slow one may not",
    world: {
      jobs: [
        aRunningJob("running", { pool: "t4", gpus: 6 }, { openImages: 600 }),
        aJob("large", { minGpus: 8, maxGpus: 8, createdAtMs: NOW_MS - 3000 }),
        aJob("slow", { openImages: 500, createdAtMs: NOW_MS - 2000 }),
        aJob("quick", { openImages: 5, workload: "quick", createdAtMs: NOW_MS - 1000 }),
      ],
    },
    want: { running: "t4×6", large: "1 gpus", slow: "2 order", quick: "t4×1" },
  },
  {
    name: "pods that are still ending count as GPUs taken",
    world: {
      pools: [aPool("t4", { strayGpus: 2 })],
      jobs: [aJob("a", { maxGpus: 8, endingGpus: { t4: 3 } })],
    },
    want: { a: "t4×3" },
  },
];

const SHARES: Scenario[] = [
  {
    name: "weights 1 and 3 share eight free GPUs two to six",
    world: {
      queues: [aQueue("a"), aQueue("b", { weight: 3 })],
      jobs: [
        ...jobs("a", 1, { maxGpus: 8, openShards: 20 }),
        ...jobs("b", 1, { maxGpus: 8, openShards: 20 }),
      ],
    },
    want: { a1: "t4×2", b1: "t4×6" },
  },
  {
    name: "a late queue gets its fair share back from an elastic job, which keeps running with the rest",
    world: {
      queues: [aQueue("a"), aQueue("b", { weight: 3 })],
      jobs: [
        aRunningJob("a1", { pool: "t4", gpus: 8 }, { queue: "a", openShards: 50 }),
        ...jobs("b", 1, { minGpus: 6, maxGpus: 6 }),
      ],
    },
    want: { a1: "t4×2 ← FairShare", b1: "1 preemption" },
  },
  {
    name: "who used much of late is served last, yet loses nothing that he holds",
    world: {
      pools: [aPool("t4", { maxGpus: 3 })],
      queues: [aQueue("a", { usage: [{ gpuClass: "t4", gpuSeconds: 50_000, atMs: NOW_MS }] }), aQueue("b")],
      jobs: [
        aRunningJob("a0", { pool: "t4", gpus: 1 }, { queue: "a" }),
        ...jobs("a", 1, { createdAtMs: 1 }),
        ...jobs("b", 2),
      ],
    },
    want: { a0: "t4×1", a1: "1 gpus", b1: "t4×1", b2: "t4×1" },
  },
  {
    name: "what was used long ago is forgotten",
    world: {
      pools: [aPool("t4", { maxGpus: 1 })],
      queues: [
        aQueue("a", { usage: [{ gpuClass: "t4", gpuSeconds: 50_000, atMs: NOW_MS - 60 * 3_600_000 }] }),
        aQueue("b", { usage: [{ gpuClass: "t4", gpuSeconds: 60, atMs: NOW_MS }] }),
      ],
      jobs: [...jobs("a", 1), ...jobs("b", 1)],
    },
    want: { a1: "t4×1", b1: "1 gpus" },
  },
];

const QUOTAS: Scenario[] = [
  {
    name: "a queue without a cohort ends at its nominal quota",
    world: { queues: [aQueue("a", t4Quota(3))], jobs: jobs("a", 4) },
    want: { a1: "t4×1", a2: "t4×1", a3: "t4×1", a4: "1 quota" },
  },
  {
    name: "in a cohort it borrows what others leave, up to its borrowing limit",
    world: {
      queues: [
        aQueue("a", { cohort: "c", ...t4Quota(2, { borrowingLimit: 1 }) }),
        aQueue("b", { cohort: "c", ...t4Quota(4) }),
      ],
      jobs: jobs("a", 4),
    },
    want: { a1: "t4×1", a2: "t4×1", a3: "t4×1", a4: "1 quota" },
  },
  {
    name: "of a lender it gets no more than the lending limit",
    world: {
      queues: [
        aQueue("a", { cohort: "c", ...t4Quota(2) }),
        aQueue("b", { cohort: "c", ...t4Quota(4, { lendingLimit: 1 }) }),
      ],
      jobs: jobs("a", 4),
    },
    want: { a1: "t4×1", a2: "t4×1", a3: "t4×1", a4: "1 cohort" },
  },
  {
    name: "the lender reclaims what it lent, and the cheapest work is lost",
    world: {
      pools: [aPool("t4", { maxGpus: 4 })],
      queues: [aQueue("a", { cohort: "c", ...t4Quota(2) }), aQueue("b", { cohort: "c", ...t4Quota(2) })],
      jobs: [
        aRunningJob("dear", { pool: "t4", gpus: 2, unsavedGpuSeconds: 500 }, { queue: "a", minGpus: 2 }),
        aRunningJob("cheap", { pool: "t4", gpus: 2, unsavedGpuSeconds: 5 }, { queue: "a" }),
        ...jobs("b", 1, { minGpus: 2, maxGpus: 2 }),
      ],
    },
    want: { dear: "t4×2", cheap: "1 cohort ← Reclaimed", b1: "1 preemption" },
  },
  {
    name: "GPUs beyond the nominal quota are given to those within theirs first",
    world: {
      pools: [aPool("t4", { maxGpus: 2 })],
      queues: [
        aQueue("a", { cohort: "c", weight: 9, ...t4Quota(0) }),
        aQueue("b", { cohort: "c", ...t4Quota(2) }),
      ],
      jobs: [...jobs("a", 2, { createdAtMs: 1 }), ...jobs("b", 2)],
    },
    want: { a1: "1 cohort", a2: "2 order", b1: "t4×1", b2: "t4×1" },
  },
  {
    name: "a job whose quota can never be enough blocks nobody behind it",
    world: {
      queues: [aQueue("a", t4Quota(3))],
      jobs: [aJob("wide", { queue: "a", minGpus: 4, maxGpus: 4, createdAtMs: 1 }), ...jobs("a", 1)],
    },
    want: { wide: "1 quota", a1: "t4×1" },
  },
  {
    name: "a queue runs no more jobs at once than maxJobs",
    world: { queues: [aQueue("a", { maxJobs: 1 })], jobs: jobs("a", 2) },
    want: { a1: "t4×1", a2: "1 max-jobs" },
  },
];

/** The last is to start by what the first gives up, and would be overtaken by the growth of the one between. */
const BEHIND_ELASTIC = [
  aRunningJob("low", { pool: "t4", gpus: 2 }, { queue: "a", maxGpus: 2 }),
  aRunningJob("elastic", { pool: "t4", gpus: 1 }, { queue: "a", priority: 5, maxGpus: 2, createdAtMs: 1 }),
  aJob("wide", { queue: "a", priority: 5, minGpus: 2, maxGpus: 2 }),
];

const PREEMPTION: Scenario[] = [
  {
    name: "a higher priority takes from a lower one of its queue, the least lost work first",
    world: {
      pools: [aPool("t4", { maxGpus: 2 })],
      jobs: [
        aRunningJob("near-done", { pool: "t4", gpus: 1, unsavedGpuSeconds: 90 }),
        aRunningJob("just-saved", { pool: "t4", gpus: 1, unsavedGpuSeconds: 1 }),
        aJob("urgent", { priority: 5 }),
      ],
    },
    want: { "near-done": "t4×1", "just-saved": "2 gpus ← Priority", urgent: "1 preemption" },
  },
  {
    name: "an elastic victim gives only as many as are needed",
    world: {
      jobs: [
        aRunningJob("wide", { pool: "t4", gpus: 8 }, { openShards: 20 }),
        aJob("urgent", { priority: 5, minGpus: 2, maxGpus: 2 }),
      ],
    },
    want: { wide: "t4×6 ← Priority", urgent: "1 preemption" },
  },
  {
    name: "what this plan gave may be taken by right at once, and does not go back to the one it was taken from",
    world: {
      pools: [aPool("t4", { maxGpus: 4 }), aPool("a100", { gpuClass: "a100", pricePerGpuHour: 9 })],
      queues: [
        aQueue("a", { cohort: "c", quotas: [{ gpuClass: "a100", nominal: 1 }] }),
        aQueue("b", { cohort: "c", quotas: [{ gpuClass: "a100", nominal: 1 }, ...t4Quota(4).quotas] }),
      ],
      jobs: [
        aRunningJob("elastic", { pool: "a100", gpus: 1 }, { queue: "a", maxGpus: 4 }),
        aRunningJob("busy", { pool: "t4", gpus: 4 }, { queue: "b" }),
        aJob("entitled", { queue: "b" }),
      ],
    },
    want: { elastic: "a100×1", busy: "t4×4", entitled: "a100×1" },
  },
  {
    name: "what a job had reclaimed is its own, though a job that nothing can help stands before it",
    world: {
      pools: [aPool("t4", { maxGpus: 6 })],
      queues: [aQueue("lender", t4Quota(4)), aQueue("borrower")],
      jobs: [
        aRunningJob("running", { pool: "t4", gpus: 2 }, { queue: "lender" }),
        aJob("never", { queue: "lender", classes: ["h100"], createdAtMs: 1 }),
        aJob("reclaimer", { queue: "lender" }),
        aJob("wide", { queue: "borrower", minGpus: 4, maxGpus: 4 }),
      ],
    },
    want: { running: "t4×2", never: "- pool", reclaimer: "t4×1", wide: "1 gpus" },
  },
  {
    name: "nobody is preempted for what a job before it would take meanwhile to grow",
    world: {
      pools: [aPool("t4", { maxGpus: 4 })],
      queues: [aQueue("a", t4Quota(3))],
      jobs: BEHIND_ELASTIC,
    },
    want: { low: "t4×2", elastic: "t4×1", wide: "1 quota" },
  },
  {
    name: "but for a job that starts at once, since that one cannot take it any more",
    world: {
      queues: [aQueue("a", t4Quota(3))],
      jobs: BEHIND_ELASTIC,
    },
    want: { low: "1 quota ← Priority", elastic: "t4×1", wide: "t4×2" },
  },
  {
    name: "nobody is preempted before the minimum run time",
    world: {
      pools: [aPool("t4", { maxGpus: 1 })],
      jobs: [aRunningJob("fresh", { pool: "t4", gpus: 1, minutes: 0.5 }), aJob("urgent", { priority: 5 })],
    },
    want: { fresh: "t4×1", urgent: "1 gpus" },
  },
  {
    name: "equal priorities preempt nobody",
    world: {
      pools: [aPool("t4", { maxGpus: 1 })],
      jobs: [aRunningJob("running", { pool: "t4", gpus: 1 }), aJob("older", { createdAtMs: 1 })],
    },
    want: { running: "t4×1", older: "1 gpus" },
  },
];

const LADDER: Scenario[] = [
  {
    name: "the cheapest picture counts, not the cheapest hour",
    world: {
      pools: [priced("slow", 1, { secondsPerImage: { studio: { p50: 30, p90: 40 } } }), priced("fast", 2)],
      jobs: [aJob("a")],
    },
    want: { a: "fast×1" },
  },
  {
    name: "a workload that no pool has done is expected to take as long as its stages",
    world: {
      pools: [
        priced("slow", 1, { secondsPerImage: { cut: { p50: 30, p90: 40 }, set: { p50: 5, p90: 9 } } }),
        priced("fast", 2, { secondsPerImage: { cut: { p50: 10, p90: 12 }, set: { p50: 5, p90: 9 } } }),
        priced("half-known", 4, { secondsPerImage: { cut: { p50: 1, p90: 1 } } }),
      ],
      jobs: [aJob("a", { workload: "cut+set" })],
    },
    want: { a: "fast×1" },
  },
  {
    name: "the next rung is taken when the first is full",
    world: {
      pools: [priced("spot", 1, { maxGpus: 1 }), priced("od", 3)],
      jobs: [aJob("a", { createdAtMs: 1 }), aJob("b")],
    },
    want: { a: "spot×1", b: "od×1" },
  },
  {
    name: "memory and class keep a job off pools that it does not fit",
    world: {
      pools: [priced("t4", 1), priced("a100", 9, { gpuClass: "a100", vramGiB: 80 })],
      jobs: [
        aJob("big", { minVramGiB: 40 }),
        aJob("class", { classes: ["a100"] }),
        aJob("never", { classes: ["h100"] }),
      ],
    },
    want: { big: "a100×1", class: "a100×1", never: "- pool" },
  },
  {
    name: "a deadline takes the cheapest pool that meets it",
    world: {
      pools: [
        priced("slow", 1, { secondsPerImage: { studio: { p50: 60, p90: 90 } } }),
        priced("fast", 9),
        priced("fastest", 99, { secondsPerImage: { studio: { p50: 1, p90: 1 } } }),
      ],
      jobs: [aJob("due", { deadlineMs: NOW_MS + 180_000 }), aJob("any")],
    },
    want: { due: "fast×1", any: "slow×1" },
  },
  {
    name: "a pool whose pod has no node in time is left; running pods stay",
    world: {
      pools: [priced("spot", 1), priced("od", 3)],
      jobs: [
        {
          ...aRunningJob("starved", { pool: "spot", gpus: 1, startedGpus: 0, minutes: 3 }),
          holding: {
            pool: "spot",
            gpus: 1,
            sinceMs: NOW_MS - 180_000,
            startedGpus: 0,
            nodelessSinceMs: NOW_MS - 121_000,
            shardGpuSeconds: 0,
            unsavedGpuSeconds: 0,
          },
        },
        aRunningJob("running", { pool: "spot", gpus: 1 }),
      ],
    },
    want: { starved: "od×1 ← StockOut", running: "spot×1" },
  },
  {
    name: "while it is out of stock nobody new goes there",
    world: {
      pools: [priced("spot", 1, { stockOut: { lastAtMs: NOW_MS - 1000, strength: 1 } })],
      jobs: [aJob("a")],
    },
    want: { a: "1 stock-out" },
  },
  {
    name: "after its cooldown it is tried again, and after many stock-outs later",
    world: {
      pools: [
        priced("once", 1, { stockOut: { lastAtMs: NOW_MS - 601_000, strength: 1 } }),
        priced("often", 0.5, { stockOut: { lastAtMs: NOW_MS - 601_000, strength: 2 } }),
      ],
      jobs: [aJob("a")],
    },
    want: { a: "once×1" },
  },
  {
    name: "a running job goes back up when the cheap pool has GPUs again",
    world: {
      pools: [priced("spot", 1), priced("od", 3)],
      jobs: [aRunningJob("a", { pool: "od", gpus: 2 }, { openImages: 400 })],
    },
    want: { a: "spot×2 ← CheaperPool" },
  },
  {
    name: "but not for its last few pictures",
    world: {
      pools: [priced("spot", 1), priced("od", 3)],
      jobs: [aRunningJob("a", { pool: "od", gpus: 2 }, { openImages: 3 })],
    },
    want: { a: "od×2" },
  },
];

const aBudget = (gpuSeconds: number, usedGpuSeconds: number, windowStartMs = NOW_MS) => ({
  budget: { windowSeconds: 3600, gpuSeconds, usedGpuSeconds, windowStartMs },
});

const BUDGETS: Scenario[] = [
  {
    // A shard is one picture of 10 s.
    name: "shards are reserved at admission: the last one alone reaches beyond the budget",
    world: { queues: [aQueue("a", aBudget(25, 0))], jobs: jobs("a", 1, { maxGpus: 8 }) },
    want: { a1: "t4×3" },
  },
  {
    name: "a used budget holds the queue until the next window",
    world: { queues: [aQueue("a", aBudget(25, 25))], jobs: jobs("a", 2) },
    want: { a1: "1 budget", a2: "2 budget" },
  },
  {
    name: "in a new window nothing is used yet",
    world: { queues: [aQueue("a", aBudget(25, 25, NOW_MS - 3_600_000))], jobs: jobs("a", 1) },
    want: { a1: "t4×1" },
  },
  {
    name: "a running job shrinks when its queue's budget runs out",
    world: {
      queues: [aQueue("a", aBudget(100, 90))],
      jobs: [aRunningJob("a1", { pool: "t4", gpus: 4 }, { queue: "a", openShards: 40, openImages: 40 })],
    },
    want: { a1: "t4×1 ← Budget" },
  },
  {
    name: "a job's own budget limits that job alone",
    world: {
      jobs: [
        aJob("a", { maxGpus: 8, budgetGpuSeconds: 15 }),
        aJob("b", { budgetGpuSeconds: 15, usedGpuSeconds: 15 }),
        aJob("c"),
      ],
    },
    want: { a: "t4×2", b: "1 job-budget", c: "t4×1" },
  },
];

describe.each([
  ["inside a queue", ORDER],
  ["fair shares", SHARES],
  ["quotas", QUOTAS],
  ["preemption", PREEMPTION],
  ["the price ladder", LADDER],
  ["budgets", BUDGETS],
] as const)("%s", (_, scenarios) => {
  it.each(scenarios)("$name", ({ world: parts, want }) => {
    const world = aWorld(parts);
    const plan = schedule(world, NOW_MS);
    expect(shortPlan(world, plan)).toEqual(want);
    const after = carriedOut(world, plan);
    expect([...schedule(after, NOW_MS).admitted.keys()]).toEqual([...plan.admitted.keys()]);
  });
});

describe("what a waiting job is told", () => {
  const told = (parts: Partial<World>, uid: string) => {
    const placement = schedule(aWorld(parts), NOW_MS).placementOf(uid);
    return placement?.kind === "waiting" ? placement.because : placement?.kind;
  };

  it.each<{ uid: string; world: Partial<World>; want: string }>([
    {
      uid: "gang",
      world: { jobs: [aRunningJob("r", { pool: "t4", gpus: 7 }), aJob("gang", { minGpus: 4, maxGpus: 4 })] },
      want: "Needs 4 GPUs at once; pool t4 has 1 of 8 free: starts when 3 more GPUs of pool t4 are free.",
    },
    {
      uid: "a2",
      world: { pools: [aPool("t4", { maxGpus: 1 })], queues: [aQueue("a", t4Quota(1))], jobs: jobs("a", 2) },
      want: "Queue a may use 1 GPU of class t4 and uses 1: starts when its other jobs end or its quota is raised.",
    },
    {
      uid: "h",
      world: { jobs: [aJob("h", { classes: ["h100"] })] },
      want: "Asks for GPU class h100; there is t4: starts when a pool of that class is made.",
    },
    {
      uid: "a1",
      world: { queues: [aQueue("a", aBudget(25, 25))], jobs: jobs("a", 1) },
      want: "Queue a has used or assigned all of its 25 GPU-seconds: starts when the next window begins at 2026-11-24 13:00 UTC or its budget is raised.",
    },
    {
      uid: "lost",
      world: { jobs: [aJob("lost", { queue: "nowhere" })] },
      want: "Queue nowhere does not exist: starts when an OpalQueue of that name is made.",
    },
    {
      uid: "s",
      world: {
        pools: [priced("spot", 1, { stockOut: { lastAtMs: NOW_MS, strength: 1 } })],
        jobs: [aJob("s")],
      },
      want: "No nodes to be had for pool spot: starts when they are tried again at 2026-11-24 12:10 UTC with success.",
    },
  ])("$want", ({ uid, world, want }) => {
    expect(told(world, uid)).toBe(want);
  });

  it("gets an estimate that follows from the work before it", () => {
    const pools = [priced("t4", 1, { maxGpus: 1 })];
    const world = aWorld({ pools, jobs: [aRunningJob("r", { pool: "t4", gpus: 1 }), ...jobs("default", 3)] });
    const plan = schedule(world, NOW_MS);
    const startsAfterSeconds = (uid: string) => {
      const placement = plan.placementOf(uid);
      return placement?.kind === "waiting" ? ((placement.eta?.startP50Ms ?? 0) - NOW_MS) / 1000 : 0;
    };
    // Ten pictures of 10 s each: the running job, then one after the other, each loading its models first.
    expect(startsAfterSeconds("default1")).toBeCloseTo(100, -1);
    expect(startsAfterSeconds("default3")).toBeGreaterThan(startsAfterSeconds("default2"));
    expect(startsAfterSeconds("default2")).toBeGreaterThan(100);
  });

  it("gets none when it can never start", () => {
    const world = aWorld({
      queues: [aQueue("a", t4Quota(1))],
      jobs: [aJob("wide", { queue: "a", minGpus: 2, maxGpus: 2 })],
    });
    expect(schedule(world, NOW_MS).placementOf("wide")).toMatchObject({ eta: undefined, blockedOn: "quota" });
  });
});

describe("the next plan", () => {
  it("is made when time alone can change it", () => {
    const fresh = aRunningJob("fresh", { pool: "t4", gpus: 8, minutes: 0.5 });
    const wakeAfterSeconds = (parts: Partial<World>) =>
      ((schedule(aWorld(parts), NOW_MS).wakeAtMs ?? Infinity) - NOW_MS) / 1000;
    expect(wakeAfterSeconds({ jobs: [fresh] })).toBe(DEFAULT_SETTINGS.minRunSeconds - 30);
    const stockOut = { lastAtMs: NOW_MS - 590_000, strength: 1 };
    expect(wakeAfterSeconds({ pools: [aPool("t4", { stockOut })], jobs: [aJob("a")] })).toBe(10);
    expect(wakeAfterSeconds({})).toBe(Infinity);
  });
});
