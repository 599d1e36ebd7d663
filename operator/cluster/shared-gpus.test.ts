import fc from "fast-check";
import { expect, it } from "vitest";
import { resourcesIn } from "./resources.ts";
import { look, type Sighting } from "./sights.ts";
import {
  createFakeCluster,
  createFakeOperator,
  type FakeCluster,
  type FakeOperator,
  type Fate,
  NAMESPACE,
  someSettings,
} from "./testing.ts";

/**
 * Whatever becomes of the members of a shared child, the GPU of each live pod is counted to exactly one OpalJob, and
 * at most one holds it.
 */

const { opalJobs } = resourcesIn(NAMESPACE);
const settings = someSettings();

type Event = (cluster: FakeCluster, n: number) => void | Promise<void>;
const step: Event = (cluster) => cluster.step();
const nameOf = ({ api }: FakeCluster, which: number) => {
  const all = api.all("opaljobs");
  return all[which % Math.max(1, all.length)]?.metadata.name;
};
const apply: Event = (cluster, n) =>
  cluster.applyOpalJob(`job-${n}`, {
    tenant: "shop",
    items: [{ id: `item-${n}`, source: `raw/t/${n}.jpg` }],
    brand: { placement: "studio" },
    retry: { perItem: 1, infrastructure: 0 },
  });
const remove =
  (which: number): Event =>
  async (cluster) => {
    const name = nameOf(cluster, which);
    if (name !== undefined) await cluster.api.delete(opalJobs, name);
  };
const suspend =
  (which: number, is: boolean): Event =>
  (cluster) => {
    const name = nameOf(cluster, which);
    if (name === undefined) return;
    cluster.api.mutate("opaljobs", name, (raw) => Object.assign(raw.spec ?? {}, { suspend: is }));
  };
const setGpus =
  (maxGpus: number): Event =>
  ({ api }) =>
    api.mutate("gpupools", "sim", (raw) => Object.assign(raw.spec ?? {}, { maxGpus }));

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(apply) },
  { weight: 6, arbitrary: fc.constant(step) },
  { weight: 1, arbitrary: fc.nat(9).map(remove) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(9), fc.boolean()).map(([which, is]) => suspend(which, is)) },
  { weight: 1, arbitrary: fc.nat(2).map(setGpus) },
);
const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("done") },
  { weight: 1, arbitrary: fc.constant<Fate>({ fails: "storage" }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ exits: "internal" }) },
);

it("counts each GPU once", { timeout: 60_000 }, async () => {
  let shared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(events, { minLength: 10, maxLength: 25 }),
      fc.array(fates, { minLength: 40, maxLength: 40 }),
      async (happenings, fateOf) => {
        const cluster = createFakeCluster(
          ({ id }) => fateOf[Number(id.slice("item-".length)) % 40] ?? "done",
        );
        await cluster.addPool("sim", { maxGpus: 1 });
        await cluster.addQueue("default");
        const operator = createFakeOperator(cluster);
        for (let n = 100; n < 106; n++) await apply(cluster, n);
        for (const [n, happens] of happenings.entries()) {
          await happens(cluster, n);
          await operator.passAll();
          shared += check(cluster, operator);
        }
      },
    ),
    { numRuns: 25 },
  );
  expect(shared, "looks at a shared child").toBeGreaterThan(100);
});

/** @returns how many shared children were seen */
function check({ api, clock }: FakeCluster, { caches, memory, planner }: FakeOperator): number {
  const holders: string[] = [];
  let counted = 0;
  for (const key of planner.keys) {
    const seen = look(key, caches, memory, { settings, nowMs: clock.now().getTime() });
    counted += checkOne(seen);
    const last = seen.sight?.children.at(-1);
    if (seen.state?.holding && last) holders.push(last.uid);
  }
  const livePods = caches.pods.values().filter(({ phase }) => phase === "Pending" || phase === "Running");
  expect(counted).toBe(livePods.length);
  expect(new Set(holders).size).toBe(holders.length);
  return api.all("jobs").filter(({ metadata }) => metadata.annotations?.["opal.dev/members"]).length;
}

/** @returns GPUs counted to this job */
function checkOne({ state, liveGpus }: Sighting): number {
  const live = liveGpus["sim"] ?? 0;
  if (!state) return live;
  // Of the live ones, those that do not end are held.
  const held = live - (state.endingGpus["sim"] ?? 0);
  expect(held).toBeGreaterThanOrEqual(0);
  expect(held).toBeLessThanOrEqual(state.holding?.gpus ?? 0);
  return live;
}
