import * as z from "zod";

/** A node as the caches keep it: whether it answers, and how many GPUs of which kind it offers. */
export interface GpuNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReady: boolean;
  /** Those that keep pods away which do not tolerate them. */
  readonly taints: readonly Taint[];
  /** Since when Kubernetes has heard nothing of it. */
  readonly unreachableSinceMs: number | undefined;
  /** By resource name, GPUs only: whole devices. */
  readonly offers: Readonly<Record<string, number>>;
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: "NoSchedule" | "NoExecute";
}

const RawNode = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z
    .object({
      unschedulable: z.boolean().default(false),
      taints: z
        .array(z.object({ key: z.string(), value: z.string().default(""), effect: z.string() }))
        .default([]),
    })
    .prefault({}),
  status: z
    .object({
      allocatable: z.record(z.string(), z.string()).default({}),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string().nullish() }))
        .default([]),
    })
    .prefault({}),
});

/** @throws {z.ZodError} when it is not a node */
export function parseGpuNode(raw: unknown): GpuNode {
  const { metadata, spec, status } = RawNode.parse(raw);
  const ready = status.conditions.find(({ type }) => type === "Ready");
  const since = Date.parse(ready?.lastTransitionTime ?? "");
  return {
    name: metadata.name,
    labels: metadata.labels,
    isReady: ready?.status === "True" && !spec.unschedulable,
    taints: spec.taints.flatMap(({ key, value, effect }) =>
      effect === "NoSchedule" || effect === "NoExecute" ? [{ key, value, effect }] : [],
    ),
    unreachableSinceMs: ready?.status === "Unknown" && !Number.isNaN(since) ? since : undefined,
    offers: devicesIn(status.allocatable),
  };
}

/** Extended resources are whole numbers with a domain in their name; cpu, memory and pods have none. */
function devicesIn(allocatable: Readonly<Record<string, string>>): Record<string, number> {
  const devices = Object.entries(allocatable).filter(
    ([name, count]) => name.includes("/") && /^\d+$/.test(count),
  );
  return Object.fromEntries(devices.map(([name, count]) => [name, Number(count)]));
}
