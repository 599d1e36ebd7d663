import { describe, expect, it } from "vitest";
import { EXIT_ACTIONS, EXIT_CODES, type ExitReason } from "#crds/exit-codes.ts";
import { manifestParts, ShardManifest } from "#crds/runner-report.ts";
import { carriesManifest, desiredJob } from "./desired-job.ts";
import { desiredConfigMap } from "./manifest.ts";
import { anOpalJob, pool, settings } from "./testing.ts";

const traced = {
  annotations: { "opal.dev/correlation-id": "c-1", "opal.dev/traceparent": "00-abc-def-01" },
};
const job = anOpalJob({ items: 6, metadata: traced, spec: { retry: { infrastructure: 2 } } });
const attempt = { number: 2, items: [0, 1, 2, 4, 5], shardSize: 2, tileScale: 1 };
const berth = { pool, gpus: 8, queue: "shop", avoidNodes: [], done: new Set<number>() };
const made = desiredJob(job, attempt, berth, settings);
const [container] = made.spec.template.spec.containers;

describe("the child Job", () => {
  it("is named, labelled and owned so that it is found again", () => {
    expect(made.metadata).toMatchObject({
      name: "coffee-2",
      namespace: "opal",
      labels: {
        "opal.dev/job": "coffee",
        "opal.dev/attempt": "2",
        "opal.dev/tenant": "shop",
        "opal.dev/pool": "sim",
        "opal.dev/queue": "shop",
      },
      annotations: { "opal.dev/items": "0-2,4-5", "opal.dev/shard-size": "2" },
      ownerReferences: [{ kind: "OpalJob", uid: "uid-coffee", controller: true }],
    });
    expect(made.spec.template.metadata.labels).toEqual(made.metadata.labels);
  });

  it("has an index for each shard, and no more pods than shards", () => {
    expect(made.spec).toMatchObject({
      completionMode: "Indexed",
      completions: 3,
      parallelism: 3,
      backoffLimitPerIndex: 2,
      podReplacementPolicy: "Failed",
      ttlSecondsAfterFinished: 3600,
      template: { spec: { restartPolicy: "Never" } },
    });
  });

  it("treats every exit code as the contract says, evictions first", () => {
    const rules = made.spec.podFailurePolicy.rules as {
      action: string;
      onPodConditions?: object[];
      onExitCodes?: { values: number[] };
    }[];
    expect(rules[0]).toEqual({
      action: "Ignore",
      onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
    });
    for (const reason of Object.keys(EXIT_ACTIONS) as Exclude<ExitReason, "done">[]) {
      const rule = rules.find((one) => one.onExitCodes?.values.includes(EXIT_CODES[reason]));
      expect([reason, rule?.action ?? "Count"]).toEqual([reason, EXIT_ACTIONS[reason]]);
    }
  });

  it("asks for one GPU of the pool and runs where the pool is", () => {
    expect(container?.resources).toEqual({ limits: { "nvidia.com/gpu": 1 } });
    expect(made.spec.template.spec).toMatchObject({
      nodeSelector: { "opal.dev/gpu-class": "simulated" },
      tolerations: [{ key: "gpu", operator: "Exists" }],
      serviceAccountName: "opal-runner",
    });
  });

  it("tells the pod who it is, what to do and whose request it serves", () => {
    expect(container?.env).toEqual([
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
      { name: "OPAL_MANIFEST_DIR", value: "/etc/opal/manifest" },
      { name: "OPAL_CORRELATION_ID", value: "c-1" },
      { name: "TRACEPARENT", value: "00-abc-def-01" },
    ]);
    expect(container?.volumeMounts).toEqual([
      { name: "manifest", mountPath: "/etc/opal/manifest", readOnly: true },
    ]);
  });

  it("carries the manifest of its only shard, as the file that the runner reads", () => {
    const { metadata, spec } = desiredJob(job, { ...attempt, shardSize: 8 }, berth, settings).spec.template;
    expect(carriesManifest(metadata.annotations)).toBe(true);
    expect(ShardManifest.parse(JSON.parse(metadata.annotations["opal.dev/manifest"] ?? ""))).toMatchObject({
      shard: 0,
      attempt: 2,
      items: attempt.items.map((index) => ({ index })),
    });
    const fieldRef = { fieldPath: "metadata.annotations['opal.dev/manifest']" };
    expect(spec.volumes).toEqual([
      { name: "manifest", downwardAPI: { items: [{ path: "0.json", fieldRef }] } },
    ]);
  });

  it("carries the manifests of all its shards as one, the common part once", () => {
    const { metadata, spec } = made.spec.template;
    const text = metadata.annotations["opal.dev/manifest"] ?? "";
    const shards = [0, 1, 2].map((shard) => manifestParts(JSON.parse(text), shard));
    const { data } = desiredConfigMap(job, attempt, { name: "coffee-2", uid: "job-uid" });
    expect(shards).toEqual([0, 1, 2].map((shard) => [JSON.parse(data[`${shard}.json`] ?? "")]));
    expect(text.length).toBeLessThan(Object.values(data).join("").length / 2);
    const fieldRef = { fieldPath: "metadata.annotations['opal.dev/manifest']" };
    expect(spec.volumes).toEqual([
      { name: "manifest", downwardAPI: { items: [{ path: "shards.json", fieldRef }] } },
    ]);
  });

  it("points into the manifest blob of a job that lists no items, whose shards its pods carry too", () => {
    const itemsFrom = { manifest: "raw/shop/list.jsonl", count: 6 };
    const listed = anOpalJob({ spec: { items: undefined, itemsFrom } });
    const { annotations } = desiredJob(listed, attempt, berth, settings).spec.template.metadata;
    expect(manifestParts(JSON.parse(annotations["opal.dev/manifest"] ?? ""), 2)).toMatchObject([
      { shard: 2, items: [], itemsFrom: { manifest: "raw/shop/list.jsonl", indexes: "5" } },
    ]);
  });

  it("leaves the manifests of many shards, and a large one, to a ConfigMap", () => {
    const prompt = "sunlit marble ".repeat(142);
    const brand = { placement: "generated", prompt, negativePrompt: prompt };
    const items = Array.from({ length: 24 }, (_, n) => ({ id: `i${n}`, source: `raw/${"é".repeat(500)}` }));
    const large = anOpalJob({ spec: { items, brand } });
    const one = { ...attempt, items: items.map((_, n) => n), shardSize: 24 };
    expect(carriesManifest(desiredJob(large, one, berth, settings).spec.template.metadata.annotations)).toBe(
      true,
    );
    const larger = anOpalJob({
      spec: { items: items.map((item) => ({ ...item, contentType: "é".repeat(127) })), brand },
    });
    const many = anOpalJob({ items: 200 });
    const all = { ...attempt, items: Array.from({ length: 200 }, (_, n) => n) };
    for (const { spec } of [
      desiredJob(many, all, berth, settings),
      desiredJob(larger, one, berth, settings),
    ]) {
      expect(carriesManifest(spec.template.metadata.annotations)).toBe(false);
      expect(spec.template.spec.volumes).toEqual([{ name: "manifest", configMap: { name: "coffee-2" } }]);
    }
  });

  it("keeps away from nodes that failed, and remembers smaller tiles", () => {
    const changed = desiredJob(
      job,
      { ...attempt, tileScale: 0.5 },
      { ...berth, avoidNodes: ["gpu-1"] },
      settings,
    );
    const matchFields = [{ key: "metadata.name", operator: "NotIn", values: ["gpu-1"] }];
    expect(changed.spec.template.spec.affinity).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
      },
    });
    expect(changed.metadata.annotations).toMatchObject({ "opal.dev/tile-scale": "0.5" });
    expect(made.metadata.annotations).not.toHaveProperty("opal.dev/tile-scale");
  });

  it("remembers what was done before it", () => {
    const { metadata } = desiredJob(job, attempt, { ...berth, done: new Set([3]) }, settings);
    expect(metadata.annotations).toMatchObject({ "opal.dev/done": "3" });
  });

  it("is left to Kueue when that is the setting: suspended, and found by its queue", () => {
    const left = desiredJob(job, attempt, berth, { ...settings, kueue: true });
    expect(left.spec.suspend).toBe(true);
    expect(left.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "shop" });
    expect(left.spec.template.metadata.labels).not.toHaveProperty("kueue.x-k8s.io/queue-name");
    expect(made.spec).not.toHaveProperty("suspend");
  });

  it("keeps the names of its pods within a DNS label", () => {
    const longest = anOpalJob({ metadata: { name: "a".repeat(52) } });
    const { metadata } = desiredJob(longest, { ...attempt, number: 99 }, berth, settings);
    // Kubernetes cuts the rest of a pod's name; the hostname of an index is <job>-<index>.
    expect(`${metadata.name}-9999`.length).toBeLessThanOrEqual(63);
  });
});
