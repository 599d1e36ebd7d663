import { describe, expect, it } from "vitest";
import { OpalJob, type OpalJobStatus } from "#crds/opaljob.ts";
import { WRITE_POINTS, type WritePoint } from "./port.ts";
import {
  createFakeCluster,
  createFakeOperator,
  type FakeCluster,
  type FakeOperator,
  type FateOf,
  Killed,
  type Kill,
  POOL_GPUS,
  someSettings,
} from "./testing.ts";

/**
 * The operator dies at a write, before or after it reached the API server, and a fresh one takes over that
 * knows nothing but the cluster. Whatever the write, the end is the same as without the death.
 */

interface Scenario {
  readonly name: string;
  readonly spec: object;
  readonly metadata?: object;
  readonly fate: FateOf;
  /** Jobs of one photo, applied after it. */
  readonly others?: readonly string[];
  /** GPUs of the pool. */
  readonly gpus?: number;
  /**
   * What a pod that is gone had reported dies with the process, so its items are held by the next attempt too;
   * their records make that quick.
   */
  readonly itemsMayVary?: true;
  /** What people do meanwhile, by step. */
  readonly meanwhile?: Record<number, (cluster: FakeCluster) => void | Promise<void>>;
}

const items = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `item-${n}`, source: `raw/t/${n}.jpg` }));
const spec = (count: number, more: object = {}) => ({
  tenant: "shop",
  items: items(count),
  brand: { placement: "studio" },
  ...more,
});

const scenarios: Scenario[] = [
  { name: "one photo", spec: spec(1), fate: () => "done" },
  {
    name: "ten photos on two GPUs, one tried again, one bad",
    spec: spec(10, { gpu: { maxGpus: 2 } }),
    fate({ id, attempt }) {
      if (id === "item-3" && attempt === 1) return { fails: "storage" };
      return id === "item-7" ? { fails: "bad-input" } : "done";
    },
  },
  {
    name: "one photo that kills its pod among good ones",
    spec: spec(6, { retry: { perItem: 1, infrastructure: 1 } }),
    fate: ({ id }) => (id === "item-2" ? { exits: "internal" } : "done"),
  },
  {
    name: "two shards with so many words that their manifests are in a ConfigMap",
    spec: spec(4, {
      gpu: { maxGpus: 2 },
      brand: { prompt: "é".repeat(2000), negativePrompt: "é".repeat(2000) },
    }),
    fate: () => "done",
  },
  {
    name: "a runner without its models",
    spec: spec(6),
    fate: () => ({ exits: "modelMissing" }),
  },
  {
    name: "suspended and resumed",
    spec: spec(6),
    fate: () => "done",
    meanwhile: {
      3: ({ api }) =>
        api.mutate("opaljobs", "job", (raw) => Object.assign(raw.spec ?? {}, { suspend: true })),
      7: ({ api }) =>
        api.mutate("opaljobs", "job", (raw) => Object.assign(raw.spec ?? {}, { suspend: false })),
    },
  },
  { name: "an exhausted budget", spec: spec(12, { budget: { gpuSeconds: 4 } }), fate: () => "done" },
  {
    name: "a node that is lost",
    spec: spec(4),
    fate: () => "done",
    meanwhile: { 3: (cluster) => cluster.loseNode("node-of-job-1-0-0") },
  },
  {
    name: "its pool is closed under it, and it goes on in another one",
    spec: spec(8),
    fate: () => "done",
    itemsMayVary: true,
    meanwhile: {
      0: (cluster) => cluster.addPool("dearer", { gpuClass: "other", pricePerGpuHour: 9 }),
      4: ({ api }) => api.mutate("gpupools", "sim", (raw) => Object.assign(raw.spec ?? {}, { maxGpus: 0 })),
    },
  },
  {
    name: "an image that cannot be pulled on the first node",
    spec: spec(2),
    fate: ({ pod }) => (pod === "job-1-0-0" ? "stuck" : "done"),
  },
  { name: "deleted after its end", spec: spec(1, { ttlSecondsAfterFinished: 5 }), fate: () => "done" },
  {
    name: "one photo that takes three more along, one of them bad, one deleted",
    spec: spec(1),
    others: ["b", "c", "d"],
    gpus: 1,
    fate: ({ id }) => (id === "photo-of-b" ? { fails: "bad-input" } : "done"),
    meanwhile: {
      2: ({ api }) => api.delete({ group: "opal.dev", version: "v1alpha1", plural: "opaljobs" }, "d"),
    },
  },
  {
    name: "one photo that takes two more along, one of which kills the pod",
    spec: { ...spec(1), retry: { perItem: 1, infrastructure: 0 } },
    others: ["b", "c"],
    gpus: 1,
    fate: ({ id }) => (id === "photo-of-b" ? { exits: "internal" } : "done"),
  },
  {
    name: "deleted at work while a finalizer holds it",
    spec: spec(8),
    metadata: { finalizers: ["opal.dev/projection"] },
    fate: () => "done",
    meanwhile: {
      4: ({ api }) => api.delete({ group: "opal.dev", version: "v1alpha1", plural: "opaljobs" }, "job"),
    },
  },
];

interface End {
  readonly status: unknown;
  readonly others: unknown;
  readonly jobs: unknown;
  readonly configMaps: string[];
  readonly livePods: string[];
}

const photoOf = (name: string) => [{ id: `photo-of-${name}`, source: `raw/t/${name}.jpg` }];

const MAX_STEPS = 60;
/** So many steps without a write, after the last thing that people did, are the end. */
const QUIET_STEPS = 9;

async function setUp({ fate, gpus, spec: first, metadata, others = [] }: Scenario): Promise<FakeCluster> {
  const cluster = createFakeCluster(fate);
  await cluster.addPool("sim", { maxGpus: gpus ?? POOL_GPUS });
  await cluster.addQueue("default");
  await cluster.applyOpalJob("job", first, metadata);
  for (const name of others) {
    await cluster.clock.advance(1000);
    await cluster.applyOpalJob(name, { ...first, items: photoOf(name) });
  }
  return cluster;
}

async function play(
  scenario: Scenario,
  kill?: Kill,
): Promise<{ end: End; writes: WritePoint[]; died: boolean }> {
  const cluster = await setUp(scenario);
  const settings = someSettings();
  let operator = createFakeOperator(cluster, { settings, ...(kill && { kill }) });
  const writes: WritePoint[] = [];
  const lastDeed = Math.max(0, ...Object.keys(scenario.meanwhile ?? {}).map(Number));
  let died = false;
  let quietSteps = 0;
  for (let step = 0; step < MAX_STEPS && quietSteps < QUIET_STEPS; step++) {
    const writesBefore = operator.writes.length;
    await scenario.meanwhile?.[step]?.(cluster);
    if (await diesInPass(operator)) {
      died = true;
      writes.push(...operator.writes);
      operator = createFakeOperator(cluster, { settings });
      await operator.passAll();
    }
    quietSteps = step > lastDeed && operator.writes.length === writesBefore ? quietSteps + 1 : 0;
    await cluster.step();
  }
  writes.push(...operator.writes);
  const { acted } = await operator.passAll();
  expect(acted, "the end is a fixed point").toBe(0);
  return { end: endOf(cluster, scenario), writes, died };
}

async function diesInPass(operator: FakeOperator): Promise<boolean> {
  try {
    await operator.passAll();
    // What the pass wrote is seen at once, as it would be by the watch.
    await operator.passAll();
    return false;
  } catch (error) {
    if (error instanceof Killed) return true;
    throw error;
  }
}

function endOf({ api }: FakeCluster, { itemsMayVary }: Scenario): End {
  const statuses = Object.fromEntries(
    api.all("opaljobs").map((raw) => [raw.metadata.name, withoutTimes(OpalJob.parse(raw).status)]),
  );
  return {
    status: statuses["job"],
    others: statuses,
    jobs: api.all("jobs").map(({ metadata, spec }) => ({
      name: metadata.name,
      items: itemsMayVary ? "" : metadata.annotations?.["opal.dev/items"],
      members: metadata.annotations?.["opal.dev/members"]?.replaceAll(/"uid":"[^"]*"/g, ""),
      pool: metadata.labels?.["opal.dev/pool"],
      parallelism: spec?.["parallelism"],
    })),
    configMaps: api.all("configmaps").map((object) => object.metadata.name),
    livePods: api
      .all("pods")
      .filter((pod) => ["Pending", "Running"].includes(String(pod.status?.["phase"])))
      .map((pod) => pod.metadata.name),
  };
}

/** A death costs time: when things happened, and how much GPU time it took, may differ. */
function withoutTimes({ conditions, items: counts, phase, attempts, failedItems }: OpalJobStatus): unknown {
  return {
    conditions: conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    counts,
    phase,
    attempts,
    failedItems,
  };
}

describe.each(scenarios)("$name", (scenario) => {
  it("ends the same wherever the operator dies", { timeout: 60_000 }, async () => {
    const undisturbed = await play(scenario);
    let deaths = 0;
    for (const point of WRITE_POINTS) {
      const count = undisturbed.writes.filter((other) => other === point).length;
      for (let occurrence = 1; occurrence <= count; occurrence++) {
        for (const when of ["before", "after"] as const) {
          const { end, died } = await play(scenario, { point, occurrence, when });
          expect({ point, occurrence, when, died, end }).toEqual({
            point,
            occurrence,
            when,
            died: true,
            end: undisturbed.end,
          });
          deaths++;
        }
      }
    }
    expect(deaths).toBeGreaterThan(0);
  });
});

it("the scenarios together write at every point", async () => {
  const written = new Set<WritePoint>();
  for (const scenario of scenarios) for (const point of (await play(scenario)).writes) written.add(point);
  expect([...written].sort()).toEqual([...WRITE_POINTS].sort());
});

it.each([
  ["one photo", ["Complete=True AllItemsDone"], { done: 1, failed: 0 }],
  [
    "ten photos on two GPUs, one tried again, one bad",
    ["Complete=True SomeItemsFailed"],
    { done: 9, failed: 1 },
  ],
  ["one photo that kills its pod among good ones", ["Complete=True SomeItemsFailed"], { done: 5, failed: 1 }],
  ["a runner without its models", ["Failed=True RunnerMisconfigured"], { done: 0, failed: 6 }],
  ["suspended and resumed", ["Complete=True AllItemsDone"], { done: 6, failed: 0 }],
  [
    "its pool is closed under it, and it goes on in another one",
    ["Complete=True AllItemsDone"],
    { done: 8, failed: 0 },
  ],
  ["a node that is lost", ["Complete=True AllItemsDone"], { done: 4, failed: 0 }],
  [
    "an image that cannot be pulled on the first node",
    ["Complete=True AllItemsDone"],
    { done: 2, failed: 0 },
  ],
  ["an exhausted budget", ["Failed=True BudgetExhausted"], { pending: 0, running: 0 }],
  [
    "one photo that takes two more along, one of which kills the pod",
    ["Complete=True AllItemsDone"],
    { done: 1, failed: 0 },
  ],
])("%s ends as it should", async (name, conditions, counts) => {
  const scenario = scenarios.find((one) => one.name === name)!;
  const { end } = await play(scenario);
  const status = end.status as { conditions: string[]; counts: object };
  expect(status.conditions).toEqual(expect.arrayContaining(conditions));
  expect(status.counts).toMatchObject(counts);
  expect(end.livePods).toEqual([]);
});
