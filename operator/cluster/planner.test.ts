import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainPlan } from "../schedule/recording.ts";
import type { Plan } from "../schedule/plan.ts";
import { schedule } from "../schedule/scheduler.ts";
import { DEFAULT_SETTINGS, type JobState, type World } from "../schedule/world.ts";
import type { RawObject } from "../runtime/testing.ts";
import { createPlanner, type Planner } from "./planner.ts";
import { resourcesIn } from "./resources.ts";
import { look } from "./sights.ts";
import {
  createFakeCluster,
  createFakeOperator,
  type FakeCluster,
  type FakeOperator,
  Killed,
  NAMESPACE,
  someSettings,
} from "./testing.ts";

const { opalJobs, gpuPools, opalQueues } = resourcesIn(NAMESPACE);
const settings = someSettings();

const someWork = fc.record({
  items: fc.integer({ min: 1, max: 12 }),
  minGpus: fc.integer({ min: 1, max: 3 }),
  more: fc.integer({ min: 0, max: 2 }),
  priority: fc.constantFrom(0, 0, 5),
  queue: fc.constantFrom("default", "other", undefined),
});
type Work = typeof someWork extends fc.Arbitrary<infer T> ? T : never;

/** What people and Kubernetes do to the cluster between two looks of the operator. */
type Event = (cluster: FakeCluster, n: number) => void | Promise<void>;

const step: Event = (cluster) => cluster.step();
/** Time passes, and nobody says anything. */
const silence: Event = ({ clock }) => clock.advance(5000);
const apply =
  (work: Work): Event =>
  (cluster, n) =>
    cluster.applyOpalJob(`job-${n}`, specOf(work));
const remove =
  (which: number): Event =>
  async ({ api }) => {
    const name = nameOf(api.all("opaljobs"), which);
    if (name !== undefined) await api.delete(opalJobs, name);
  };
const change =
  (plural: string, which: number, spec: object): Event =>
  ({ api }) => {
    const name = nameOf(api.all(plural), which);
    if (name !== undefined) api.mutate(plural, name, (raw) => Object.assign(raw.spec ?? {}, spec));
  };
const otherPool: Event = (cluster) =>
  cluster.api.all("gpupools").length > 1
    ? cluster.api.delete(gpuPools, "spot")
    : cluster.addPool("spot", { pricePerGpuHour: 1, maxGpus: 2 });
const otherQueue: Event = (cluster) =>
  cluster.api.all("opalqueues").length > 1
    ? cluster.api.delete(opalQueues, "other")
    : cluster.addQueue("other");

function nameOf(objects: readonly RawObject[], which: number): string | undefined {
  return objects[which % Math.max(1, objects.length)]?.metadata.name;
}

const which = fc.nat(9);
const someEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: someWork.map(apply) },
  { weight: 5, arbitrary: fc.constant(step) },
  { weight: 3, arbitrary: fc.constant(silence) },
  { weight: 1, arbitrary: which.map(remove) },
  {
    weight: 1,
    arbitrary: fc.tuple(which, fc.boolean()).map(([one, suspend]) => change("opaljobs", one, { suspend })),
  },
  { weight: 1, arbitrary: fc.nat(5).map((maxGpus) => change("gpupools", 0, { maxGpus })) },
  { weight: 1, arbitrary: fc.nat(3).map((n) => change("opalqueues", n, { weight: 1 + n })) },
  { weight: 1, arbitrary: fc.constantFrom(otherPool, otherQueue) },
);

function specOf({ items, minGpus, more, priority, queue }: Work): object {
  return {
    tenant: "shop",
    items: Array.from({ length: items }, (_, n) => ({ id: `item-${n}`, source: `raw/t/${n}.jpg` })),
    brand: { placement: "studio" },
    gpu: { minGpus, maxGpus: minGpus + more },
    priority,
    ...(queue !== undefined && { queue }),
  };
}

async function aCluster(): Promise<FakeCluster> {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  return cluster;
}

/** Everything that the plan says, as it is recorded. */
function told(plan: Plan, world: World): string {
  return JSON.stringify(plainPlan(plan, world.jobs.map(({ uid }) => uid).sort()));
}

const inOrder = (world: World) => {
  const byUid = [...world.jobs].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  const byName = <T extends { name: string }>(list: readonly T[]) =>
    [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...world, jobs: byUid, pools: byName(world.pools), queues: byName(world.queues) };
};

/** A planner that starts now on the same caches: what it makes of them all at once. */
function worldFromNothing({ caches, memory }: FakeOperator, { clock }: FakeCluster): World {
  let seen: World | undefined;
  const planner: Planner = createPlanner({
    caches,
    memory,
    settings: DEFAULT_SETTINGS,
    shardSize: settings.shardSize,
    minIntervalMs: 0,
    look: (key) => look(key, caches, memory, { settings, nowMs: clock.now().getTime() }),
    onChanged() {},
    onMoved() {},
    onUnreadable() {},
    onTrouble({ error }) {
      throw error;
    },
    onDue() {},
    record: (world) => (seen = world),
    clock,
  });
  for (const { metadata } of caches.opalJobs.values())
    planner.invalidate(`${metadata.namespace}/${metadata.name}`);
  for (const pod of caches.pods.values()) planner.invalidate(`${pod.namespace}/${pod.opalJob}`);
  planner.replan();
  if (!seen) throw new Error("no plan was made");
  return seen;
}

const someEvents = fc.array(fc.array(someEvent, { maxLength: 3 }), { minLength: 3, maxLength: 25 });

describe("whatever happens in the cluster", () => {
  it("a plan made of changes is the plan of the whole world, and that world is what the caches show", async () => {
    let plans = 0;
    await fc.assert(
      fc.asyncProperty(someEvents, async (rounds) => {
        const cluster = await aCluster();
        const operator = createFakeOperator(cluster, {
          settings,
          record(world, plan) {
            plans++;
            expect(told(plan, world)).toBe(told(schedule(world, plan.nowMs), world));
            expect(inOrder(world)).toEqual(inOrder(worldFromNothing(operator, cluster)));
          },
        });
        for (const [n, events] of rounds.entries()) {
          for (const [m, event] of events.entries()) await event(cluster, 100 * n + m);
          await operator.passAll();
        }
      }),
      { numRuns: 60 },
    );
    expect(plans).toBeGreaterThan(100);
  }, 60_000);

  it("an operator that starts anew plans the same", async () => {
    await fc.assert(
      fc.asyncProperty(someEvents, async (rounds) => {
        const cluster = await aCluster();
        const operator = createFakeOperator(cluster, { settings });
        for (const [n, events] of rounds.entries()) {
          for (const [m, event] of events.entries()) await event(cluster, 100 * n + m);
          await operator.passAll();
        }
        // What the last passes have done is planned for once more, and by the one that starts now. Speeds that a pool
        // has learnt make no plan by themselves: they count from the next one on, which is this one.
        operator.planner.invalidateAll();
        await operator.passAll();
        const fresh = createFakeOperator(cluster, { settings });
        await fresh.passAll();
        for (const key of operator.planner.keys) {
          expect([key, allocation(fresh.planner, key)]).toEqual([key, allocation(operator.planner, key)]);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

it("counts GPUs as taken while nobody knows whether the assignment arrived, but not for ever", async () => {
  const cluster = await aCluster();
  let held: unknown;
  const operator = createFakeOperator(cluster, {
    kill: { point: "createJob", occurrence: 1, when: "before" },
    record: ({ jobs }) => (held = jobs[0]?.holding?.gpus),
  });
  await cluster.applyOpalJob("job", specOf({ items: 8, minGpus: 2, more: 0, priority: 0, queue: undefined }));
  await expect(operator.passAll()).rejects.toThrow(Killed);
  operator.planner.invalidateAll();
  operator.planner.replan();
  expect(held).toBe(2);
  await cluster.clock.advance(29_000);
  operator.planner.replan();
  expect(held).toBe(2);
  await cluster.clock.advance(1000);
  operator.planner.replan();
  expect(held).toBeUndefined();
});

describe("when no plan can be made", () => {
  interface Faults {
    readonly jobs: Set<string>;
    pools: boolean;
  }

  /** A planner whose world is poisoned as told. */
  async function aPoisonedPlanner(names: readonly string[], faults: Faults, items = 12) {
    const cluster = await aCluster();
    const operator = createFakeOperator(cluster, { settings });
    for (const name of names) {
      await cluster.applyOpalJob(name, specOf({ items, minGpus: 1, more: 0, priority: 0, queue: undefined }));
    }
    await operator.passAll();
    const { caches, memory } = operator;
    const troubles: object[] = [];
    const told: string[] = [];
    let dueMs: number | undefined;
    const poisoned: JobState["classes"] = JSON.parse("null");
    const planner = createPlanner({
      caches,
      memory,
      settings: { ...DEFAULT_SETTINGS },
      shardSize: settings.shardSize,
      minIntervalMs: 0,
      look(key) {
        const seen = look(key, caches, memory, { settings, nowMs: cluster.clock.now().getTime() });
        const isBad = faults.pools || faults.jobs.has(key);
        return { ...seen, state: seen.state && (isBad ? { ...seen.state, classes: poisoned } : seen.state) };
      },
      onChanged: (key) => told.push(key),
      onMoved: (key) => told.push(key),
      onUnreadable(_, error) {
        throw error;
      },
      onTrouble: ({ error, ...trouble }) => troubles.push({ ...trouble, why: String(error).slice(0, 9) }),
      onDue: (afterMs) => (dueMs = afterMs),
      clock: cluster.clock,
    });
    const keys = names.map((name) => `${NAMESPACE}/${name}`);
    for (const key of keys) planner.invalidate(key);
    const takeTold = () => told.splice(0).sort();
    return { planner, cluster, keys, troubles, takeTold, due: () => dueMs };
  }

  const NAMES = ["a", "b", "c", "d"];

  it("the job that is to blame is named and left out, and the others are planned", async () => {
    const faults = { jobs: new Set([`${NAMESPACE}/c`]), pools: false };
    const { planner, keys, troubles } = await aPoisonedPlanner(NAMES, faults);
    planner.replan();
    expect(troubles).toEqual([{ what: "job", key: `${NAMESPACE}/c`, why: "TypeError" }]);
    expect(keys.map((key) => planner.placement(key) !== undefined)).toEqual([true, true, false, true]);
    planner.invalidate(`${NAMESPACE}/c`);
    planner.replan();
    expect(troubles).toHaveLength(1);
    faults.jobs.clear();
    planner.invalidate(`${NAMESPACE}/c`);
    expect(planner.placement(`${NAMESPACE}/c`)).toBeDefined();
    expect(troubles).toHaveLength(1);
  });

  it("and no job is to blame, it is tried again ever more rarely, and then every job is told", async () => {
    const many = [...NAMES, "e", "f", "g"];
    const faults = { jobs: new Set<string>(), pools: true };
    const { planner, cluster, keys, troubles, takeTold, due } = await aPoisonedPlanner(many, faults);
    planner.replan();
    expect(troubles).toEqual([{ what: "plan", waitMs: 1000, why: "TypeError" }]);
    expect([planner.plan, planner.isUnplanned(`${NAMESPACE}/a`)]).toEqual([undefined, true]);
    expect(troubles).toHaveLength(1);
    await cluster.clock.advance(1000);
    planner.replan();
    expect(troubles.at(-1)).toEqual({ what: "plan", waitMs: 2000, why: "TypeError" });
    expect(due()).toBe(2000);
    expect(takeTold()).toEqual([]);
    faults.pools = false;
    planner.invalidateAll();
    await cluster.clock.advance(2000);
    planner.replan();
    expect(takeTold()).toEqual(keys);
    expect(planner.plan).toBeDefined();
  });

  it("who rides in a shared child has no plan either, so that nobody takes its GPU away", async () => {
    const faults = { jobs: new Set<string>(), pools: true };
    const { planner, keys } = await aPoisonedPlanner([...NAMES, "e", "f", "g", "h", "i", "j"], faults, 1);
    planner.replan();
    expect(keys.map((key) => [key, planner.isUnplanned(key)])).toEqual(keys.map((key) => [key, true]));
    expect(keys.filter((key) => !planner.sight(key)?.children.length)).not.toEqual(keys);
  });
});

function allocation(planner: Planner, key: string): unknown {
  const placement = planner.placement(key);
  if (placement?.kind === "admitted") return { pool: placement.pool, gpus: placement.gpus };
  return (
    placement && { position: placement.position, blockedOn: placement.blockedOn, because: placement.because }
  );
}
