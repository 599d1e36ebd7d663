/** GpuPool and OpalQueue on a real API server: bad objects are refused with a word that names the field. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCluster, type Cluster } from "../hack/dev-cluster/testing.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startTestCluster();
  const files = ["gpupool.yaml", "opalqueue.yaml"].flatMap((name) => ["-f", file(name)]);
  const applied = await cluster.kubectl(["apply", "--server-side", ...files]);
  expect(applied.stderr).toBe("");
  await cluster.kubectl([
    "wait",
    "--for=condition=Established",
    "crd/gpupools.opal.dev",
    "crd/opalqueues.opal.dev",
  ]);
});
afterAll(() => cluster.stop());

type Spec = Record<string, unknown>;
const apply = (object: object) => cluster.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });

const pool = (changes: Spec, name = "good") => ({
  apiVersion: "opal.dev/v1alpha1",
  kind: "GpuPool",
  metadata: { name },
  spec: { gpuClass: "t4", vramGiB: 16, maxGpus: 8, ...changes },
});
const queue = (spec: Spec, name = "good") => ({
  apiVersion: "opal.dev/v1alpha1",
  kind: "OpalQueue",
  metadata: { name },
  spec,
});
const t4 = (more: Spec) => ({ class: "t4", nominal: 4, ...more });

describe("a bad GpuPool is refused and the field is named", () => {
  test.each([
    { name: "no class", object: pool({ gpuClass: undefined }), field: "spec.gpuClass: Required" },
    { name: "a class with capitals", object: pool({ gpuClass: "T4" }), field: "spec.gpuClass" },
    { name: "no memory", object: pool({ vramGiB: 0 }), field: "spec.vramGiB" },
    { name: "no limit", object: pool({ maxGpus: undefined }), field: "spec.maxGpus: Required" },
    { name: "fewer GPUs than none", object: pool({ maxGpus: -1 }), field: "spec.maxGpus" },
    { name: "a price below nothing", object: pool({ pricePerGpuHour: -0.1 }), field: "spec.pricePerGpuHour" },
    { name: "a stock-out at once", object: pool({ startTimeoutSeconds: 0 }), field: "startTimeoutSeconds" },
    {
      name: "an unknown effect of a taint",
      object: pool({ tolerations: [{ key: "gpu", effect: "Maybe" }] }),
      field: "spec.tolerations[0].effect",
    },
    { name: "a name that labels cannot carry", object: pool({}, "t4.spot"), field: "metadata.name" },
  ])("$name", async ({ object, field }) => {
    const { code, stderr } = await apply(object);
    expect(code).toBe(1);
    expect(stderr).toContain(field);
  });
});

describe("a bad OpalQueue is refused and the field is named", () => {
  test.each([
    { name: "a weight of nothing", object: queue({ weight: 0 }), field: "spec.weight" },
    {
      name: "a quota without a class",
      object: queue({ quotas: [{ nominal: 1 }] }),
      field: "class: Required",
    },
    { name: "a quota below nothing", object: queue({ quotas: [t4({ nominal: -1 })] }), field: "nominal" },
    { name: "two quotas of a class", object: queue({ quotas: [t4({}), t4({})] }), field: "spec.quotas[1]" },
    {
      name: "more to lend than it has",
      object: queue({ cohort: "shops", quotas: [t4({ lendingLimit: 5 })] }),
      field: "spec.quotas",
    },
    {
      name: "borrowing without a cohort",
      object: queue({ quotas: [t4({ borrowingLimit: 5 })] }),
      field: "spec.cohort",
    },
    {
      name: "an empty budget",
      object: queue({ budget: { gpuSeconds: 0 } }),
      field: "spec.budget.gpuSeconds",
    },
    {
      name: "a window of a second",
      object: queue({ budget: { gpuSeconds: 1, windowSeconds: 1 } }),
      field: "spec.budget.windowSeconds",
    },
    { name: "no job at all", object: queue({ maxJobs: 0 }), field: "spec.maxJobs" },
    { name: "a name that labels cannot carry", object: queue({}, "shop.one"), field: "metadata.name" },
  ])("$name", async ({ object, field }) => {
    const { code, stderr } = await apply(object);
    expect(code).toBe(1);
    expect(stderr).toContain(field);
  });
});

describe("once applied", () => {
  beforeAll(async () => {
    expect((await apply(pool({}))).stderr).toBe("");
    expect((await apply(queue({ quotas: [t4({})] }))).stderr).toBe("");
  });

  test.each([
    { change: { gpuClass: "a100" }, field: "spec.gpuClass" },
    { change: { resourceName: "nvidia.com/mig-1g.10gb" }, field: "spec.resourceName" },
  ])("a pool's $field cannot change", async ({ change, field }) => {
    const { code, stderr } = await apply(pool(change));
    expect(code).toBe(1);
    expect(stderr).toContain(field);
    expect(stderr).toContain("cannot change");
  });

  test("price and size can change, and a pool can be closed", async () => {
    expect(await apply(pool({ pricePerGpuHour: 1.5, maxGpus: 0 }))).toMatchObject({ code: 0, stderr: "" });
  });

  test("defaults are filled in by the API server", async () => {
    const { stdout } = await cluster.kubectl(["get", "gpupool/good", "opalqueue/good", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      items: [
        { spec: { resourceName: "nvidia.com/gpu", spot: false, startTimeoutSeconds: 120 } },
        { spec: { weight: 1, quotas: [{ class: "t4", nominal: 4 }] } },
      ],
    });
  });

  test("the columns tell their state", async () => {
    const status = (kind: string, patch: object) =>
      cluster.kubectl([
        "patch",
        `${kind}/good`,
        "--subresource=status",
        "--type=merge",
        "-p",
        JSON.stringify({ status: patch }),
      ]);
    const condition = { message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
    const stockedOut = { ...condition, type: "Available", status: "False", reason: "StockedOut" };
    const exhausted = { ...condition, type: "Active", status: "False", reason: "BudgetExhausted" };
    expect((await status("gpupool", { assigned: 3, conditions: [stockedOut] })).stderr).toBe("");
    expect((await status("opalqueue", { share: "75 %", conditions: [exhausted] })).stderr).toBe("");
    const { stdout } = await cluster.kubectl(["get", "gp,oq"]);
    expect(stdout).toMatch(/^NAME +CLASS +VRAM +SPOT +PRICE +MAX +READY +ASSIGNED +INUSE +STATE +AGE$/m);
    expect(stdout).toMatch(/gpupool.opal.dev\/good +t4 .* 3 .* StockedOut/);
    expect(stdout).toMatch(/opalqueue.opal.dev\/good .* 75 % .* BudgetExhausted/);
  });
});
