import * as z from "zod";
import { QUEUE_CONDITION_TYPES } from "./conditions.ts";
import { cel } from "./cel.ts";
import { conditionOf, Count, dnsLabel, ObjectMeta, Timestamp } from "./opaljob.ts";

/**
 * OpalQueue: how much of the GPUs a tenant, or a team, may have. Cluster-scoped, like the nodes that it shares
 * out. An OpalJob without a queue goes to the queue of its tenant's name when there is one, else to `default`.
 */

/** The queue of jobs that name none and whose tenant has none of its own. */
export const DEFAULT_QUEUE = "default";
const MAX_GPUS = 10_000;
const DAY_SECONDS = 86_400;

const gpus = () => z.int32().min(0).max(MAX_GPUS);

/** What a queue may have of one GPU class. */
export const Quota = z.object({
  class: dnsLabel().describe("GPU class, as pools offer it."),
  nominal: gpus().describe(
    "GPUs that are the queue's own: it gets them back when others have borrowed them.",
  ),
  borrowingLimit: gpus()
    .optional()
    .describe("How many more it may borrow inside its cohort; without it as many as are idle."),
  lendingLimit: gpus()
    .optional()
    .describe("How many of its own the cohort may use while it does not; without it all of them."),
});
export type Quota = z.infer<typeof Quota>;

export const QueueBudget = z.object({
  windowSeconds: z
    .int32()
    .min(60)
    .max(31 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .describe("Length of a window. Windows follow each other without a gap, counted from 1970 in UTC."),
  gpuSeconds: z.int32().min(1).describe("GPU time that its jobs may use in one window."),
});
export type QueueBudget = z.infer<typeof QueueBudget>;

export const OpalQueueSpec = z
  .object({
    cohort: dnsLabel().optional().describe("Queues of one cohort lend each other what they do not use."),
    weight: z
      .int32()
      .min(1)
      .max(1000)
      .default(1)
      .describe("Share of what is borrowed, against the other queues of the cohort."),
    quotas: z
      .array(Quota)
      .max(16)
      .default([])
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["class"] })
      .describe(
        "By GPU class. Without any, the pools alone limit the queue; else it has the listed classes only.",
      ),
    budget: QueueBudget.optional(),
    maxJobs: z.int32().min(1).max(100_000).optional().describe("Jobs that may hold GPUs at once."),
  })
  .meta(
    cel(
      {
        rule: "!has(self.quotas) || self.quotas.all(q, !has(q.lendingLimit) || q.lendingLimit <= q.nominal)",
        message: "lendingLimit must not exceed nominal",
        fieldPath: ".quotas",
      },
      {
        rule: "has(self.cohort) || !has(self.quotas) || self.quotas.all(q, !has(q.borrowingLimit) && !has(q.lendingLimit))",
        message: "borrowingLimit and lendingLimit need a cohort",
        fieldPath: ".cohort",
      },
    ),
  );
export type OpalQueueSpec = z.infer<typeof OpalQueueSpec>;

const Seconds = z.number().min(0);

export const QueueUsage = z.object({
  at: Timestamp.describe("Up to when GPU time is counted here."),
  classes: z
    .array(z.object({ class: z.string().max(63), decayedGpuSeconds: Seconds }))
    .max(32)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["class"] })
    .describe("GPU time, older time counting less: what fairness looks at."),
  windowStart: Timestamp.optional().describe("Start of the budget's window."),
  windowGpuSeconds: Seconds.default(0).describe("GPU time used since then."),
});
export type QueueUsage = z.infer<typeof QueueUsage>;

export const OpalQueueStatus = z.object({
  observedGeneration: z.number().int().optional(),
  conditions: z
    .array(conditionOf(QUEUE_CONDITION_TYPES))
    .max(4)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
  pending: Count.optional().describe("Jobs that wait for GPUs."),
  admitted: Count.optional().describe("Jobs that hold GPUs, alone or in a child that they share."),
  gpus: Count.optional().describe("GPUs that its jobs hold."),
  classes: z
    .array(z.object({ class: z.string().max(63), held: Count, borrowed: Count }))
    .max(32)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["class"] })
    .describe("What it holds of each class, and how much of that is beyond its nominal quota."),
  share: z
    .string()
    .max(8)
    .optional()
    .describe("Part of the GPUs that it has now, of the class of which it has most. For people."),
  usage: QueueUsage.optional().describe(
    "The queue's account. The operator goes on from here after a restart.",
  ),
  budgetLeft: Count.optional().describe("GPU-seconds that are neither used nor promised in this window."),
});
export type OpalQueueStatus = z.infer<typeof OpalQueueStatus>;

/** An OpalQueue as read from a cluster. */
export const OpalQueue = z.object({
  metadata: ObjectMeta,
  spec: OpalQueueSpec.prefault({}),
  status: OpalQueueStatus.default({}),
});
export type OpalQueue = z.infer<typeof OpalQueue>;

/**
 * The queue that a job belongs to; undefined when it names none and there is neither one of its tenant's name
 * nor `default`. A queue that is named counts even while it does not exist: the job waits for it.
 */
export function queueOf(
  spec: { readonly queue?: string | undefined; readonly tenant: string },
  exists: (name: string) => boolean,
): string | undefined {
  if (spec.queue !== undefined) return spec.queue;
  return [spec.tenant, DEFAULT_QUEUE].find(exists);
}
