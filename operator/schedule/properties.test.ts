import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Plan } from "./plan.ts";
import { plainPlan } from "./recording.ts";
import { type WorldChange, createScheduler, schedule } from "./scheduler.ts";
import { type SimulatedJob, type Simulation, createSimulation, livePods } from "./testing-simulation.ts";
import { NOW_MS, aJob, aPool, aQueue, aWorld, carriedOut } from "./testing.ts";
import type { QueueState, World } from "./world.ts";

// Many worlds each: on a busy machine more than the usual five seconds.
vi.setConfig({ testTimeout: 30_000 });

interface Load {
  readonly world: World;
  readonly jobs: readonly SimulatedJob[];
}

const SHARD_IMAGES = 4;

const somePools = fc.array(
  fc.record({
    gpuClass: fc.constantFrom("t4", "a100"),
    maxGpus: fc.integer({ min: 1, max: 6 }),
    pricePerGpuHour: fc.integer({ min: 1, max: 4 }),
    seconds: fc.integer({ min: 2, max: 10 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const someQuota = fc.record(
  {
    nominal: fc.integer({ min: 1, max: 5 }),
    borrowingLimit: fc.integer({ min: 0, max: 4 }),
    lendingLimit: fc.integer({ min: 0, max: 4 }),
  },
  { requiredKeys: ["nominal"] },
);
const someQueues = fc.array(
  fc.record(
    {
      cohort: fc.constantFrom("c1", "c2"),
      weight: fc.integer({ min: 1, max: 3 }),
      t4: someQuota,
      a100: someQuota,
      maxJobs: fc.integer({ min: 1, max: 3 }),
      budgetGpuSeconds: fc.integer({ min: 60, max: 400 }),
    },
    { requiredKeys: ["weight"] },
  ),
  { minLength: 1, maxLength: 4 },
);
const someJobs = fc.array(
  fc.record({
    queue: fc.nat({ max: 3 }),
    priority: fc.constantFrom(0, 0, 0, 5),
    classes: fc.constantFrom([], [], ["t4"], ["a100"]),
    minGpus: fc.constantFrom(1, 1, 1, 2, 4),
    more: fc.integer({ min: 0, max: 4 }),
    shards: fc.integer({ min: 1, max: 8 }),
    slowness: fc.constantFrom(0.5, 1, 1, 1.5),
    arrivesAfterSeconds: fc.integer({ min: 0, max: 300 }),
    deadlineAfterSeconds: fc.option(fc.integer({ min: 60, max: 2000 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 14 },
);

const someLoad: fc.Arbitrary<Load> = fc
  .record({ pools: somePools, queues: someQueues, jobs: someJobs })
  .map(({ pools, queues, jobs }) => {
    const poolStates = pools.map(({ seconds, ...pool }, n) =>
      aPool(`pool-${n}`, {
        ...pool,
        secondsPerImage: { studio: { p50: seconds, p90: seconds * 1.3 } },
      }),
    );
    const queueStates = queues.map(({ t4, a100, budgetGpuSeconds, ...queue }, n) =>
      aQueue(`q${n}`, {
        ...queue,
        quotas: [t4 && { gpuClass: "t4", ...t4 }, a100 && { gpuClass: "a100", ...a100 }].flatMap(
          (one) => one ?? [],
        ),
        ...(budgetGpuSeconds && {
          budget: { windowSeconds: 600, gpuSeconds: budgetGpuSeconds, windowStartMs: 0, usedGpuSeconds: 0 },
        }),
      }),
    );
    const simulated = jobs.map(({ queue, more, shards, slowness, ...job }, n): SimulatedJob => {
      const arrivesAfterMs = job.arrivesAfterSeconds * 1000;
      const seconds = pools[0]?.seconds ?? 1;
      return {
        ...aJob(`j${String(n).padStart(2, "0")}`, {
          queue: `q${queue % queueStates.length}`,
          priority: job.priority,
          classes: job.classes,
          minGpus: job.minGpus,
          maxGpus: job.minGpus + more,
          openShards: shards,
          openImages: shards * SHARD_IMAGES,
          deadlineMs: job.deadlineAfterSeconds && NOW_MS + arrivesAfterMs + job.deadlineAfterSeconds * 1000,
        }),
        arrivesAfterMs,
        shardMs: Math.round(1000 * seconds * SHARD_IMAGES * slowness),
      };
    });
    return { world: aWorld({ pools: poolStates, queues: queueStates }), jobs: simulated };
  });

/** Plays a load to its end, or until nothing can happen any more. */
function play(load: Load, look: (plan: Plan, simulation: Simulation) => void): Simulation {
  const simulation = createSimulation(load.world, load.jobs);
  for (let events = 0; !simulation.isDone; events++) {
    if (events > 3000) throw new Error("the load does not end");
    const plan = schedule(simulation.world, simulation.nowMs);
    look(plan, simulation);
    simulation.apply(plan);
    if (!simulation.advance(plan.wakeAtMs)) break;
    if (isStuck(plan, simulation)) break;
  }
  return simulation;
}

/** All that is left can never start, by what it is told. */
function isStuck(plan: Plan, { world, isDone }: Simulation): boolean {
  if (isDone || plan.admitted.size > 0) return false;
  return (
    world.jobs.length > 0 &&
    world.jobs.every(({ uid }) => plan.placementOf(uid)?.kind === "waiting" && isForEver(plan, uid))
  );
}

function isForEver(plan: Plan, uid: string): boolean {
  const placement = plan.placementOf(uid);
  return placement?.kind === "waiting" && placement.eta === undefined;
}

function usedBy(world: World, plan: Plan, queue: QueueState, gpuClass: string): number {
  const pools = new Set(world.pools.filter((pool) => pool.gpuClass === gpuClass).map(({ name }) => name));
  return world.jobs
    .filter((job) => job.queue === queue.name)
    .map(({ uid }) => plan.admitted.get(uid))
    .reduce((sum, admitted) => sum + (admitted && pools.has(admitted.pool) ? admitted.gpus : 0), 0);
}

function expectWithinPools(world: World, plan: Plan): void {
  for (const pool of world.pools) {
    const assigned = [...plan.admitted.values()].filter((one) => one.pool === pool.name);
    const gpus = assigned.reduce((sum, one) => sum + one.gpus, 0);
    expect(gpus).toBe(plan.pools.get(pool.name)?.inUse);
    expect(gpus).toBeLessThanOrEqual(pool.maxGpus);
  }
}

/** Only GPUs that a pod has can be ending. */
function expectEndingIsReal(world: World, plan: Plan): void {
  for (const { name, strayGpus } of world.pools) {
    const most = world.jobs.reduce((sum, { uid, holding, endingGpus }) => {
      const ends = endingGpus[name] ?? 0;
      if (holding?.pool !== name) return sum + ends;
      const admitted = plan.admitted.get(uid);
      const isLess = admitted?.pool !== name || admitted.gpus < holding.gpus;
      return sum + ends + (isLess ? holding.gpus : 0);
    }, strayGpus);
    expect(plan.pools.get(name)?.ending).toBeLessThanOrEqual(most);
  }
}

function expectWithinQuotas(world: World, plan: Plan): void {
  for (const gpuClass of ["t4", "a100"]) {
    const lent = new Map<string, number>();
    for (const queue of world.queues.filter(({ quotas }) => quotas.length > 0)) {
      const used = usedBy(world, plan, queue, gpuClass);
      const { limit, guaranteed, lendable } = limitsOf(queue, gpuClass);
      expect(used).toBeLessThanOrEqual(limit);
      const name = queue.cohort ?? `alone-${queue.name}`;
      lent.set(name, (lent.get(name) ?? 0) + Math.max(0, used - guaranteed) - lendable);
    }
    for (const balance of lent.values()) expect(balance).toBeLessThanOrEqual(0);
  }
}

function limitsOf(queue: QueueState, gpuClass: string) {
  const quota = queue.quotas.find((one) => one.gpuClass === gpuClass);
  if (!quota) return { limit: 0, guaranteed: 0, lendable: 0 };
  const { nominal, borrowingLimit = Infinity, lendingLimit = nominal } = quota;
  if (queue.cohort === undefined) return { limit: nominal, guaranteed: nominal, lendable: 0 };
  const lendable = Math.min(nominal, lendingLimit);
  return { limit: nominal + borrowingLimit, guaranteed: nominal - lendable, lendable };
}

const plain = (plan: Plan, world: World) =>
  plainPlan(
    plan,
    world.jobs.map(({ uid }) => uid),
  );
const allocations = (plan: Plan) =>
  Object.fromEntries([...plan.admitted].map(([uid, { pool, gpus }]) => [uid, `${pool} ${gpus}`]));

describe("over simulated time, in any world", () => {
  it("no pool, quota or borrowing limit is ever exceeded, and no job waits for ever", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        const {
          world: end,
          isDone,
          finishedAtMs,
        } = play(load, (plan, { world }) => {
          expectWithinPools(world, plan);
          expectWithinQuotas(world, plan);
          expectEndingIsReal(world, plan);
          for (const pool of world.pools) expect(livePods(world, pool)).toBeLessThanOrEqual(pool.maxGpus);
        });
        if (!isDone) {
          const plan = schedule(end, NOW_MS + 10 ** 8);
          for (const { uid } of end.jobs) expect([uid, isForEver(plan, uid)]).toEqual([uid, true]);
        }
        expect(finishedAtMs.size + end.jobs.length).toBe(load.jobs.length);
      }),
      { numRuns: 200 },
    );
  });

  it("a plan that is carried out stays the same, and the order of the lists does not matter", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        play(load, (plan, { world, nowMs }) => {
          const after = carriedOut(world, plan);
          expect(allocations(schedule(after, nowMs))).toEqual(allocations(plan));
          const shuffled = {
            ...world,
            pools: world.pools.toReversed(),
            queues: world.queues.toReversed(),
            jobs: world.jobs.toReversed(),
          };
          expect(plain(schedule(shuffled, nowMs), world)).toEqual(plain(plan, world));
        });
      }),
      { numRuns: 150 },
    );
  });

  it("a scheduler that follows the changes plans bit for bit what a new one would", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        let scheduler: ReturnType<typeof createScheduler> | undefined;
        let before: World | undefined;
        play(load, (plan, { world, nowMs }) => {
          scheduler ??= createScheduler({ ...world, jobs: [], queues: [] });
          const followed = scheduler.step(changeBetween(before, world), nowMs);
          expect(JSON.stringify(plain(followed, world))).toBe(JSON.stringify(plain(plan, world)));
          before = world;
        });
      }),
      { numRuns: 150 },
    );
  });

  it("a budget is never overshot by more than one shard", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        const known = withExactSpeeds(load);
        const shard = Math.max(...known.jobs.map(({ shardMs }) => shardMs)) / 1000;
        play(known, (_, { world }) => {
          for (const { budget } of world.queues) {
            if (budget) expect(budget.usedGpuSeconds).toBeLessThanOrEqual(budget.gpuSeconds + shard);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it("a victim never preempts its preemptor, and preemption comes to an end", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        // Nothing arrives and nothing ends; only the plans are carried out, again and again.
        const simulation = createSimulation(load.world, load.jobs.map(neverDone));
        simulation.advance(NOW_MS);
        const victims = new Set<string>();
        let before = "";
        for (let minutes = 1; ; minutes++) {
          expect(minutes).toBeLessThan(100);
          const plan = schedule(simulation.world, simulation.nowMs);
          for (const [uid, change] of takenFrom(plan)) {
            expect(victims.has(`${change} from ${uid}`)).toBe(false);
            victims.add(`${uid} from ${change}`);
          }
          simulation.apply(plan);
          const now = JSON.stringify(allocations(plan));
          if (now === before && minutes > 10) break;
          before = now;
          simulation.advance(NOW_MS + minutes * 61_000);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("no GPU is idle while a job waits that could use it", () => {
    fc.assert(
      fc.property(someLoad, (load) => {
        const single = load.jobs.map((job) => ({ ...job, minGpus: 1 }));
        const queues = load.world.queues.map(({ name, weight }) => aQueue(name, { weight }));
        play({ world: { ...load.world, queues }, jobs: single }, (plan, { world }) => {
          for (const pool of world.pools) {
            const { gpus, inUse, ending } = plan.pools.get(pool.name) ?? { gpus: 0, inUse: 0, ending: 0 };
            const wanting = world.jobs.filter(
              ({ uid, classes }) =>
                !plan.admitted.has(uid) && (classes.length === 0 || classes.includes(pool.gpuClass)),
            );
            if (inUse + ending < gpus) expect(wanting.map(({ uid }) => uid)).toEqual([]);
          }
        });
      }),
      { numRuns: 200 },
    );
  });

  it("queues that always have work get GPU time by their weights", () => {
    const weights = { light: 1, middle: 2, heavy: 5 };
    const queues = Object.entries(weights).map(([name, weight]) => aQueue(name, { weight }));
    const pool = aPool("t4", { maxGpus: 8, secondsPerImage: { studio: { p50: 10, p90: 12 } } });
    const jobs = queues.flatMap(({ name }) =>
      Array.from({ length: 240 }, (_, n): SimulatedJob => {
        const work = { queue: name, openImages: 30, openShards: 1 + (n % 3), maxGpus: 1 + (n % 2) };
        return { ...aJob(`${name}-${n}`, work), arrivesAfterMs: 0, shardMs: 300_000 / work.openShards };
      }),
    );
    const simulation = createSimulation(aWorld({ pools: [pool], queues }), jobs);
    while (simulation.nowMs < NOW_MS + 4 * 3_600_000) {
      const plan = schedule(simulation.world, simulation.nowMs);
      simulation.apply(plan);
      simulation.advance(plan.wakeAtMs);
    }
    const total = [...simulation.gpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
    for (const { name, weight } of queues) {
      const share = (simulation.gpuSeconds.get(name) ?? 0) / total;
      expect(Math.abs(share - weight / 8)).toBeLessThan(0.01);
    }
  });
});

const neverDone = (job: SimulatedJob): SimulatedJob => ({ ...job, arrivesAfterMs: 0, shardMs: 10 ** 12 });

/** Who lost GPUs to whom by this plan. */
function takenFrom(plan: Plan): [victim: string, heir: string][] {
  const lost = [...plan.preempted].map(([uid, { forUid }]) => [uid, forUid] as const);
  const shrunk = [...plan.admitted].map(([uid, { change }]) => [uid, change?.forUid] as const);
  return [...lost, ...shrunk].flatMap(([uid, heir]) => (heir === undefined ? [] : [[uid, heir]]));
}

/** Every pool does a picture in the same time, and every shard takes as long as is expected. */
function withExactSpeeds({ world, jobs }: Load): Load {
  const secondsPerImage = world.pools[0]?.secondsPerImage ?? {};
  const seconds = secondsPerImage["studio"]?.p50 ?? 1;
  return {
    world: { ...world, pools: world.pools.map((pool) => ({ ...pool, secondsPerImage })) },
    jobs: jobs.map((job) => ({ ...job, shardMs: (1000 * seconds * job.openImages) / job.openShards })),
  };
}

function changeBetween(before: World | undefined, after: World): WorldChange {
  const known = new Map(before?.jobs.map((job) => [job.uid, JSON.stringify(job)]));
  const uids = new Set(after.jobs.map(({ uid }) => uid));
  return {
    jobs: after.jobs.filter((job) => known.get(job.uid) !== JSON.stringify(job)),
    goneJobs: [...known.keys()].filter((uid) => !uids.has(uid)),
    queues: after.queues,
  };
}
