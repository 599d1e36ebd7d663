/** The CRD on a real API server: the examples are taken, bad OpalJobs are refused with a word that names the field. */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCluster, type Cluster } from "../hack/dev-cluster/testing.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startTestCluster();
  const files = ["opaljob.yaml", "gpupool.yaml", "opalqueue.yaml"].flatMap((name) => ["-f", file(name)]);
  const applied = await cluster.kubectl(["apply", "--server-side", ...files]);
  expect(applied.stderr).toBe("");
  const names = ["opaljobs", "gpupools", "opalqueues"].map((plural) => `crd/${plural}.opal.dev`);
  await cluster.kubectl(["wait", "--for=condition=Established", ...names]);
});
afterAll(() => cluster.stop());

const good = {
  apiVersion: "opal.dev/v1alpha1",
  kind: "OpalJob",
  metadata: { name: "good" },
  spec: {
    tenant: "acme",
    items: [{ id: "a", source: "raw/acme/a.jpg" }],
    brand: { placement: "studio" },
  },
};
type Spec = Record<string, unknown>;
const withSpec = (changes: Spec) => ({ ...good, spec: { ...good.spec, ...changes } });
const named = (name: string) => ({ ...good, metadata: { name } });

async function apply(object: unknown) {
  return cluster.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });
}

test("every example is taken", async () => {
  const examples = await readdir(file("examples"));
  expect(examples.length).toBeGreaterThan(0);
  for (const name of examples) {
    const { code, stderr } = await cluster.kubectl(["apply", "-f", file(`examples/${name}`)]);
    expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: "" });
  }
});

describe("a bad OpalJob is refused and the field is named", () => {
  test.each([
    { name: "no tenant", object: withSpec({ tenant: undefined }), field: "spec.tenant: Required" },
    { name: "a tenant with capitals", object: withSpec({ tenant: "ACME" }), field: "spec.tenant" },
    { name: "no items at all", object: withSpec({ items: undefined }), field: "spec.items" },
    { name: "an empty list of items", object: withSpec({ items: [] }), field: "spec.items" },
    {
      name: "1,001 items",
      object: withSpec({
        items: Array.from({ length: 1001 }, (_, i) => ({ id: `i${i}`, source: "raw/a.jpg" })),
      }),
      field: "spec.items",
    },
    {
      name: "two items with one id",
      object: withSpec({ items: [...good.spec.items, ...good.spec.items] }),
      field: "spec.items[1]",
    },
    {
      name: "a source outside the known containers",
      object: withSpec({ items: [{ id: "a", source: "https://example.com/a.jpg" }] }),
      field: "spec.items[0].source",
    },
    {
      name: "items and a manifest",
      object: withSpec({ itemsFrom: { manifest: "raw/acme/list.jsonl", count: 3 } }),
      field: "spec.items",
    },
    {
      name: "an unknown placement",
      object: withSpec({ brand: { placement: "jungle" } }),
      field: "spec.brand.placement",
    },
    {
      name: "a misspelt set",
      object: withSpec({ brand: { placement: "studio", style: "marbel" } }),
      field: "spec.brand.style: Invalid value: there is no such set: style is one of sweep, plaster, wood",
    },
    {
      name: "colour without a background",
      object: withSpec({ brand: { placement: "color" } }),
      field: "spec.brand.background",
    },
    {
      name: "a generated scene without a prompt",
      object: withSpec({ brand: { placement: "generated" } }),
      field: "spec.brand.prompt",
    },
    {
      name: "upscaling by 3",
      object: withSpec({ brand: { placement: "studio", upscale: 3 } }),
      field: "spec.brand.upscale",
    },
    {
      name: "more GPUs at least than at most",
      object: withSpec({ gpu: { minGpus: 4, maxGpus: 2 } }),
      field: "spec.gpu.minGpus",
    },
    {
      name: "an unknown stage",
      object: withSpec({ stages: ["segment", "polish"] }),
      field: "spec.stages[1]",
    },
    { name: "a name that pods cannot carry", object: named("x".repeat(53)), field: "metadata.name" },
  ])("$name", async ({ object, field }) => {
    const { code, stderr } = await apply(object);
    expect(code).toBe(1);
    expect(stderr).toContain(field);
  });
});

describe("once applied", () => {
  beforeAll(async () => {
    expect((await apply(good)).code).toBe(0);
  });

  test.each([
    { change: { tenant: "other" }, field: "spec.tenant" },
    { change: { items: [{ id: "b", source: "raw/acme/b.jpg" }] }, field: "spec.items" },
    { change: { brand: { placement: "transparent" } }, field: "spec.brand" },
    { change: { stages: ["segment"] }, field: "spec.stages" },
  ])("$field cannot change", async ({ change, field }) => {
    const { code, stderr } = await apply(withSpec(change));
    expect(code).toBe(1);
    expect(stderr).toContain(field);
    expect(stderr).toContain("cannot change");
  });

  test("what may change can change", async () => {
    const { code, stderr } = await apply(withSpec({ suspend: true, priority: 5, gpu: { maxGpus: 3 } }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("defaults are filled in by the API server", async () => {
    const { stdout } = await cluster.kubectl(["get", "oj", "good", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      spec: {
        brand: { upscale: 2, exports: ["1:1", "4:3", "9:16"] },
        stages: ["segment", "place", "upscale"],
      },
    });
  });
});
