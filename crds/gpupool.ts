import * as z from "zod";
import { POOL_CONDITION_TYPES } from "./conditions.ts";
import { cel } from "./cel.ts";
import { conditionOf, Count, dnsLabel, ObjectMeta, Timestamp } from "./opaljob.ts";

/**
 * GpuPool: nodes with one kind of GPU at one price, that jobs can be placed on. Cluster-scoped, like the nodes.
 * What an autoscaler does behind the node selector is its own affair: a pool may have no node at all until a pod
 * asks for one.
 */

const fixed = (field: string) =>
  cel({ rule: "self == oldSelf", message: `${field} cannot change: create a new GpuPool instead` });

export const GpuPoolSpec = z.object({
  gpuClass: dnsLabel()
    .meta(fixed("gpuClass"))
    .describe("What jobs ask for in gpu.classes, for example t4, a100, h100."),
  resourceName: z
    .string()
    .min(1)
    .max(253)
    .default("nvidia.com/gpu")
    .meta(fixed("resourceName"))
    .describe("What a pod asks of its node, one of it each. MIG profiles have their own."),
  vramGiB: z.int32().min(1).max(1024).describe("Memory of one GPU."),
  nodeSelector: z
    .record(z.string(), z.string().max(63))
    .default({})
    .meta({ maxProperties: 16 })
    .describe("Labels of the pool's nodes."),
  tolerations: z
    .array(
      z.object({
        key: z.string().max(316).optional(),
        operator: z.enum(["Equal", "Exists"]).optional(),
        value: z.string().max(63).optional(),
        effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
      }),
    )
    .max(16)
    .default([]),
  maxGpus: z
    .int32()
    .min(0)
    .max(10_000)
    .describe("Never more pods than this at once; 0 closes the pool, and its jobs move on."),
  spot: z.boolean().default(false).describe("Its nodes may be taken away at any time."),
  pricePerGpuHour: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe("In any currency, the same for all pools: cheaper pictures are preferred."),
  startTimeoutSeconds: z
    .int32()
    .min(1)
    .max(86_400)
    .default(120)
    .describe("A pod that has no node after so long means that the pool is out of stock."),
  stockOutCooldownSeconds: z
    .int32()
    .min(1)
    .max(86_400)
    .default(600)
    .describe("How long a pool that was out of stock is left alone; longer when it happens again."),
});
export type GpuPoolSpec = z.infer<typeof GpuPoolSpec>;

/** More kinds of work than this are not told apart: those that were measured longest ago are forgotten. */
export const MAX_SPEEDS = 32;

export const WorkloadSpeed = z.object({
  workload: z.string().max(128).describe("What is done with the pictures: stages, placement, factor."),
  seconds: z.number().min(0).describe("Mean."),
  deviation: z.number().min(0).describe("Mean distance from the mean."),
  images: z.number().int().min(0).describe("How many pictures were measured."),
});
export type WorkloadSpeed = z.infer<typeof WorkloadSpeed>;

/** More than there are: a stage counts apart for each placement and factor. */
export const MAX_STAGE_SPEEDS = 16;

export const StageSpeed = WorkloadSpeed.omit({ workload: true }).extend({
  stage: z.string().max(128).describe("A stage with its placement or factor."),
});
export type StageSpeed = z.infer<typeof StageSpeed>;

export const GpuPoolStatus = z.object({
  observedGeneration: z.number().int().optional(),
  conditions: z
    .array(conditionOf(POOL_CONDITION_TYPES))
    .max(4)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
  nodes: Count.optional().describe("Ready nodes that take its pods: by its labels and tolerations."),
  ready: Count.optional().describe("GPUs that those nodes offer."),
  assigned: Count.optional().describe("GPUs that jobs hold."),
  inUse: Count.optional().describe("GPUs on which a runner works."),
  jobs: Count.optional().describe("Jobs that hold GPUs of it, alone or in a child that they share."),
  stockOut: z
    .object({
      lastAt: Timestamp.describe("When a pod had waited too long for a node."),
      strength: z.number().min(0).describe("1 after a first one, more after several; fades with time."),
      until: Timestamp.optional().describe("Nothing is placed on the pool before then."),
    })
    .optional()
    .describe("The pool's memory of being out of stock. The operator goes on from here after a restart."),
  speeds: z
    .array(WorkloadSpeed)
    .max(MAX_SPEEDS)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["workload"] })
    .describe("Learned from the runners: seconds of one GPU for one picture, recent pictures counting most."),
  stageSpeeds: z
    .array(StageSpeed)
    .max(MAX_STAGE_SPEEDS)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["stage"] })
    .describe(
      "The same for each stage by itself: a workload that was never measured takes as long as its stages.",
    ),
  learnedAt: Timestamp.optional().describe("Pods that ended after this are not in the speeds yet."),
});
export type GpuPoolStatus = z.infer<typeof GpuPoolStatus>;

/** A GpuPool as read from a cluster. */
export const GpuPool = z.object({
  metadata: ObjectMeta,
  spec: GpuPoolSpec,
  status: GpuPoolStatus.default({}),
});
export type GpuPool = z.infer<typeof GpuPool>;
